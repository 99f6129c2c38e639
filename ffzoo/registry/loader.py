"""Finding and loading plugins, one at a time, so that a broken one hurts nobody else.

pluggy's own ``load_setuptools_entrypoints`` stops at the first plugin that does not import, drops a
second distribution with the same entry-point name silently and accepts misspelt hooks. This loader
isolates each plugin, rolls a half-registered one back and remembers why it was skipped.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pluggy

from ffzoo.errors import PluginError, nearest
from ffzoo.registry import hookspecs
from ffzoo.registry.declare import declarations
from ffzoo.registry.entries import KINDS, Entry, Provenance, Registry
from ffzoo.version import __version__

GROUP = "ffzoo"
_KEYWORDS = ("aliases", "summary", "paper", "config")
_TAGS = {"algorithms": ("card", "defaults"), "datasets": ("defaults",), "dataset_sources": ("defaults",)}
"""What ``register`` takes beside the keywords of every kind."""
SHIPPED = "ffzoo"
"""The distribution that ships; what it registers is the library's own."""


class PluginWarning(UserWarning):
    """A plugin was skipped; the text names it, its distribution and the cause."""


@dataclass(frozen=True)
class Skipped:
    """A plugin that was not loaded."""

    provenance: Provenance
    reason: str


class Zoo:
    """A plugin manager and one registry per kind.

    Args:
        autoload: whether the first look-up loads the core's parts and the installed plugins.
    """

    def __init__(self, autoload: bool = True) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.registries = {kind: Registry(kind) for kind in KINDS}
        self.plugins: dict[str, Provenance] = {}
        self.skipped: list[Skipped] = []
        self._loaded = not autoload

    def __getitem__(self, kind: str) -> Registry:
        self.load()
        return self.registries[kind]

    def entries(self, plugin: str) -> list[Entry]:
        """Return what a plugin registered, kind by kind."""
        return [e for registry in self.registries.values() for e in registry if e.provenance.plugin == plugin]

    def register(self, plugin: object, provenance: Provenance) -> None:
        """Register one plugin entirely or not at all.

        Raises:
            PluginError: a misspelt hook, a hook that raises, or a name that is taken.
        """
        name = provenance.plugin
        if name in self.plugins:
            raise PluginError(f"{provenance} has the name of {self.plugins[name]}, which is loaded already")
        try:
            self.manager.register(plugin, name)
            self._check_hooks(plugin)
            others = [p for p in self.manager.get_plugins() if p is not plugin]
            declared, module = declarations(plugin), getattr(plugin, "__name__", type(plugin).__module__)
            for kind, registry in self.registries.items():
                entries: list[Entry] = []

                def register(
                    entry_name: str, target: Any, /, *, _kind: str = kind, _to: list[Entry] = entries, **kw: Any
                ) -> None:
                    known = _keywords(_kind)
                    for word in kw:
                        if word not in known:
                            raise PluginError(
                                f"{provenance} registers {KINDS[_kind]} {entry_name!r} with the unknown keyword "
                                f"{word!r}: {nearest(word, known)}"
                            )
                    tags = {word: kw.pop(word) for word in _TAGS.get(_kind, ()) if word in kw}
                    _to.append(Entry(_kind, entry_name, target, provenance, tags=tags, module=module, **kw))

                caller = self.manager.subset_hook_caller(f"register_{kind}", others)
                caller(register=register)
                for d in declared:
                    if d.kind == kind:
                        register(d.name, d.target, **d.keywords)
                for entry in entries:
                    registry.add(entry)
        except Exception as error:
            self.unregister(plugin, name)
            if isinstance(error, PluginError):
                raise
            raise PluginError(f"{provenance}: {type(error).__name__}: {error}") from error
        self.plugins[name] = provenance

    def _check_hooks(self, plugin: object) -> None:
        """Refuse a misspelt hook, which pluggy reports only when asked and without the nearest valid one."""
        valid = [name for name in dir(hookspecs) if name.startswith("register_")]
        for attribute in dir(plugin):
            if self.manager.parse_hookimpl_opts(plugin, attribute) and attribute not in valid:
                raise PluginError(f"there is no hook {attribute!r}: {nearest(attribute, valid)}")
        self.manager.check_pending()

    def unregister(self, plugin: object, name: str) -> None:
        """Take a plugin and everything it registered out again."""
        if self.manager.is_registered(plugin):
            self.manager.unregister(plugin)
        for registry in self.registries.values():
            registry.remove(name)
        self.plugins.pop(name, None)

    def skip(self, provenance: Provenance, reason: str, warn: bool = True) -> None:
        """Remember, and say, that a plugin was left out.

        Raises:
            PluginError: instead of the warning, when ``FFZOO_STRICT_PLUGINS=1``.
        """
        if warn and os.environ.get("FFZOO_STRICT_PLUGINS") == "1":
            raise PluginError(f"{provenance} cannot be loaded: {reason}")
        self.skipped.append(Skipped(provenance, reason))
        hint = "; skipped plugins: " + ", ".join(s.provenance.plugin for s in self.skipped)
        for registry in self.registries.values():
            registry.hint = hint
        if warn:
            warnings.warn(f"{provenance} was skipped: {reason}", PluginWarning, stacklevel=2)

    def load(self) -> None:
        """Load the core's own parts and every installed plugin, once."""
        if self._loaded:
            return
        self._loaded = True
        from ffzoo.registry import builtin

        self.register(builtin, Provenance("ffzoo", SHIPPED, __version__))
        allowed = os.environ.get("FFZOO_LOAD_PLUGINS")
        allows = None if allowed is None else _names(allowed)
        blocked = _names(os.environ.get("FFZOO_BLOCK_PLUGINS", ""))
        for point, provenance in _entry_points():
            for name, module in self._modules(point):
                of_module = replace(provenance, plugin=name)
                if allows is not None and not {name, point.name} & set(allows):
                    self.skip(of_module, "not in FFZOO_LOAD_PLUGINS", warn=False)
                elif {name, point.name} & set(blocked):
                    self.skip(of_module, "in FFZOO_BLOCK_PLUGINS", warn=False)
                else:
                    try:
                        self.register(importlib.import_module(module) if module else point.load(), of_module)
                    except Exception as error:  # a plugin may raise anything at import
                        text = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
                        self.skip(of_module, text)

    def _modules(self, point: importlib.metadata.EntryPoint) -> list[tuple[str, str]]:
        """Return name and module of each plugin of an entry point: the module it names, or the package's public ones.

        A package whose own ``__init__`` registers something is a plugin like a module. ``*_parts`` are no plugins.
        """
        try:
            package = importlib.import_module(point.module) if not point.attr else None
        except Exception:  # found out again, and said, when it is loaded
            package = None
        path = getattr(package, "__path__", None)
        if package is None or path is None or declarations(package) or self._has_hooks(package):
            return [(point.name, "")]
        names = sorted(module.name for module in pkgutil.iter_modules(path))
        public = [name for name in names if not name.startswith("_") and not name.endswith("_parts")]
        return [(name, f"{point.module}.{name}") for name in public]

    def _has_hooks(self, plugin: object) -> bool:
        return any(self.manager.parse_hookimpl_opts(plugin, attribute) for attribute in dir(plugin))

    def load_file(self, path: str | Path) -> None:
        """Load an unpackaged plugin from a Python file; its folder joins ``sys.path``, for modules that lie beside it.

        Args:
            path: of the file. Its module is named as the file, with ``_`` for what no name may hold:
                ``cubic.v2.py`` is ``cubic_v2``.

        Raises:
            PluginError: no such file, it has the name of another module, or it does not import or register.
        """
        self.load()
        path = Path(path)
        if not path.is_file():
            raise PluginError(f"plugin file {str(path)!r} does not exist")
        name = re.sub(r"\W", "_", path.stem)
        other = _other_module(name, path)
        if other:
            raise PluginError(
                f"plugin file {str(path)!r} has the name of {other}, and one would hide the other; rename the file"
            )
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"plugin file {str(path)!r} is not a Python file; expected a name that ends in .py")
        folder = str(path.resolve().parent)
        if folder not in sys.path:
            sys.path.append(folder)  # last, so that nothing in it hides a module that is installed
        provenance = Provenance(name, str(path))
        if name in sys.modules:  # a plugin beside it has imported it
            self.register(sys.modules[name], provenance)
            return
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # lazy targets "name:attribute" must find it
        try:
            spec.loader.exec_module(module)
            self.register(module, provenance)
        except Exception as error:
            del sys.modules[name]
            if isinstance(error, PluginError):
                raise
            raise PluginError(f"plugin file {str(path)!r}: {type(error).__name__}: {error}") from error

    @contextlib.contextmanager
    def use(self, plugin: object, name: str | None = None) -> Iterator[None]:
        """Load a plugin for the length of a ``with`` block; for notebooks and tests."""
        self.load()
        name = name or getattr(plugin, "__name__", type(plugin).__name__).rpartition(".")[2]
        self.register(plugin, Provenance(name))
        try:
            yield
        finally:
            self.unregister(plugin, name)


def _keywords(kind: str) -> tuple[str, ...]:
    return (*_KEYWORDS, *_TAGS.get(kind, ()))


def _other_module(name: str, path: Path) -> str:
    """Which module beside a plugin's file has its name, in words; empty if there is none."""
    if name in sys.stdlib_module_names:
        return f"Python's own module {name!r}"
    file = path.resolve()
    # With `python -m` the current folder is on the path, where the file itself would be found.
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != file.parent]
    specs = [finder.find_spec(name, elsewhere if finder is PathFinder else None) for finder in sys.meta_path]
    found = [spec.origin for spec in specs if spec is not None]
    if name in sys.modules:
        found.append(getattr(sys.modules[name], "__file__", None) or "in memory")
    # A folder without __init__.py has no origin, and yields to a file.
    others = [origin for origin in found if origin is not None and Path(origin).resolve() != file]
    return f"the module {name!r} ({others[0]})" if others else ""


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _entry_points() -> list[tuple[importlib.metadata.EntryPoint, Provenance]]:
    """Return entry points in a fixed order; a distribution found twice on the path counts once."""
    found: dict[tuple[str, str, str], tuple[importlib.metadata.EntryPoint, Provenance]] = {}
    for distribution in importlib.metadata.distributions():
        points = distribution.entry_points.select(group=GROUP)
        for point in points:
            name, version = distribution.metadata["Name"] or "?", distribution.version
            found.setdefault((point.name, name, point.value), (point, Provenance(point.name, name, version)))
    # Shipped plugins first: a clash is the newcomer's, whatever its name sorts as.
    return [found[key] for key in sorted(found, key=lambda key: (key[1] != SHIPPED, key))]


ZOO = Zoo()
"""The process-wide zoo; it loads on the first look-up."""
