"""Named things of every kind: looked up by name, imported on first use."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from types import MappingProxyType
from typing import Any

from ffzoo.errors import PluginError, UnknownNameError, nearest

# The kinds are the hooks of hookspecs.py without their prefix; the word is for messages.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "algorithms": "algorithm",
        "goodness": "goodness",
        "local_losses": "local loss",
        "fusions": "fusion",
        "negatives": "negatives",
        "label_embeddings": "label embedding",
        "normalizations": "normalization",
        "schedules": "schedule",
        "backbones": "backbone",
        "backbone_sources": "backbone source",
        "datasets": "data set",
        "dataset_sources": "data set source",
        "experiments": "experiment",
        "observers": "observer",
        "metrics": "metric",
    }
)
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
# What looks like a name of a kind and is none, and why.
_NO_NAMES = {("normalizations", "auto"): "'auto' is a value of forward_norm and names no normalization"}


@dataclass(frozen=True)
class Provenance:
    """Which plugin registered a thing, and from which distribution it came."""

    plugin: str
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        dist = " ".join(part for part in (self.distribution, self.version) if part)
        return f"plugin {self.plugin!r}" + (f" ({dist})" if dist else "")


def import_target(text: str, what: str) -> Any:
    """Import ``"module:attribute"``.

    Args:
        text: the lazy target.
        what: for the message, e.g. ``"algorithm 'dtg_ff' of plugin 'dtg_ff'"``.

    Raises:
        PluginError: the module does not import or lacks the attribute.
    """
    module, _, attribute = text.partition(":")
    try:
        value: Any = importlib.import_module(module)
        for part in attribute.split("."):
            value = getattr(value, part)
        return value
    except Exception as error:
        raise PluginError(f"{what}: {text!r} cannot be loaded: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Entry:
    """One registered name.

    Attributes:
        kind: of the registry.
        name: what it is chosen by.
        target: what the name stands for, or its lazy ``"module:attribute"``.
        provenance: who registered it.
        aliases: further names.
        summary: one line.
        paper: the source in short.
        config: a frozen dataclass of its options, or its lazy name.
        tags: what only some kinds have: ``card`` and ``defaults``.
        module: the module that registered it, whose docstring may hold the formula.
    """

    kind: str
    name: str
    target: Any
    provenance: Provenance
    aliases: tuple[str, ...] = ()
    summary: str = ""
    paper: str = ""
    config: str | type | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    module: str = ""

    def __post_init__(self) -> None:
        for name in (self.name, *self.aliases):
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise PluginError(
                    f"{self.provenance}: {name!r} is not a valid name for a {KINDS[self.kind]}; "
                    "use lower-case letters, digits and underscores"
                )
        for text in (self.target, self.config):
            if isinstance(text, str) and text.count(":") != 1:
                raise PluginError(
                    f"{self.provenance}: {KINDS[self.kind]} {self.name!r} has the target {text!r}; "
                    "expected 'module:attribute'"
                )

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.name!r} of {self.provenance}"

    def load(self) -> Any:
        """Return the thing itself, imported now if the target is lazy.

        Raises:
            PluginError: the target does not import.
        """
        return import_target(self.target, str(self)) if isinstance(self.target, str) else self.target

    def load_config(self) -> type | None:
        """Return the config dataclass, or None if the thing has no options.

        Raises:
            PluginError: the config does not import.
        """
        return import_target(self.config, str(self)) if isinstance(self.config, str) else self.config

    def has_config(self, config: object) -> bool:
        """Return whether ``config`` is an instance of this entry's config class (imports nothing)."""
        cls = type(config)
        if isinstance(self.config, str):
            return self.config == f"{cls.__module__}:{cls.__qualname__}"
        return self.config is cls


class Registry:
    """All names of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        self._aliases: dict[str, str] = {}
        self.hint = ""  # set by the loader: which plugins were skipped

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            PluginError: a name or alias is taken; the message names both plugins.
        """
        for name in (entry.name, *entry.aliases):
            if (self.kind, name) in _NO_NAMES:
                raise PluginError(f"{entry.provenance}: {_NO_NAMES[self.kind, name]}; choose another name")
            taken = self._entries.get(self._aliases.get(name, name))
            if taken is not None:
                raise PluginError(
                    f"{entry.provenance} registers {KINDS[self.kind]} {name!r}, "
                    f"which {taken.provenance} registered already"
                )
        self._entries[entry.name] = entry
        self._aliases.update(dict.fromkeys(entry.aliases, entry.name))

    def remove(self, plugin: str) -> None:
        """Forget what a plugin registered."""
        gone = {name for name, entry in self._entries.items() if entry.provenance.plugin == plugin}
        self._entries = {name: entry for name, entry in self._entries.items() if name not in gone}
        self._aliases = {alias: name for alias, name in self._aliases.items() if name not in gone}

    def get(self, name: str) -> Entry:
        """Return the entry of a name or alias.

        Raises:
            UnknownNameError: nothing has that name; the message lists the nearest ones.
        """
        entry = self._entries.get(self._aliases.get(name, name))
        if entry is None:
            why = _NO_NAMES.get((self.kind, name), f"unknown {KINDS[self.kind]} {name!r}")
            raise UnknownNameError(f"{why}: {nearest(str(name), self._entries)}{self.hint}")
        return entry

    def of_config(self, config: object) -> Entry:
        """Return the entry whose options ``config`` holds.

        Raises:
            UnknownNameError: no entry of this kind has a config of that class.
        """
        for entry in self:
            if entry.has_config(config):
                return entry
        raise UnknownNameError(
            f"{type(config).__name__} holds the options of no {KINDS[self.kind]}; "
            f"pass a name or a config of {', '.join(sorted(e.name for e in self if e.config)) or 'none'}"
        )

    def names(self, pattern: str = "*") -> list[str]:
        """Return the sorted names that match a shell pattern such as ``"*ff*"``."""
        return sorted(name for name in self._entries if fnmatch(name, pattern))

    def __iter__(self) -> Iterator[Entry]:
        return iter([self._entries[name] for name in sorted(self._entries)])

    def __contains__(self, name: str) -> bool:
        return name in self._entries or name in self._aliases
