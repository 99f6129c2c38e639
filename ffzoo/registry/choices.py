"""A part as one writes it: its registered name, or its config to give it options. No torch in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ffzoo.errors import OptionError, PluginError, UnknownNameError, nearest
from ffzoo.registry import options
from ffzoo.registry.entries import KINDS, Entry, Provenance, import_target
from ffzoo.registry.loader import SHIPPED, ZOO
from ffzoo.version import __version__

Part = Any
"""A registered name, an instance of a registered config dataclass, or a class or function that is not registered.

What is not registered is written down as ``"module:name"`` and read back by importing it.
"""

FORWARD_NORM = "forward_norm"
"""In place of a kind: normalizations, and ``"auto"``, which no other choice of a normalization understands."""

_GIVEN = Provenance("python")

_AUTO = Entry(
    "normalizations",
    "auto",
    None,  # nothing to build: what it stands for depends on the backbone
    Provenance("ffzoo", SHIPPED, __version__),
    summary="layernorm between native blocks, none in a model with norms of its own",
)


def find(kind: str, part: Part) -> tuple[Entry, object | None]:
    """Return the registered entry of a part, and its config (None if it has no options).

    Args:
        kind: of the registry, or :data:`FORWARD_NORM`.
        part: a registered name, a config, or a class or function, as such or as ``"module:name"``.

    Raises:
        UnknownNameError: nothing registered that name or config.
        OptionError: a function where only a goodness can be one, or a ``"module:name"`` that cannot be imported.
    """
    if kind == FORWARD_NORM:
        kind = "normalizations"
        if isinstance(part, str) and part == _AUTO.name:
            return _AUTO, None
        registry = ZOO[kind]
        if isinstance(part, str) and part not in registry:
            known = nearest(part, [*registry.names(), _AUTO.name])
            raise UnknownNameError(f"unknown forward_norm {part!r}: {known}{registry.hint}")
    part = _imported(kind, part)
    if callable(part):
        if not isinstance(part, type) and kind != "goodness":
            word = KINDS[kind]
            raise OptionError(
                f"{word} is a function, {written(part)!r}; expected a name, options, or a class of {word}"
            )
        return Entry(kind, "given", part, _GIVEN), None
    if isinstance(part, str):
        entry = ZOO[kind].get(part)
        config = entry.load_config()
        return entry, config() if config else None
    return ZOO[kind].of_config(part), part


def written(part: Any) -> str:
    """Return how a class or function that is not registered is written down."""
    return f"{part.__module__}:{getattr(part, '__qualname__', type(part).__qualname__)}"


def _imported(kind: str, part: Part) -> Part:
    """Return what ``"module:name"`` names, and anything else as it is.

    Raises:
        OptionError: it cannot be imported.
    """
    if not isinstance(part, str) or ":" not in part:
        return part
    try:
        return import_target(part, KINDS.get(kind, kind))
    except PluginError as error:
        raise OptionError(
            f"{KINDS.get(kind, kind)} {part!r} cannot be imported; expected a class or function of a module that is "
            "there, or the recipe again"
        ) from error


def resolve(kind: str, part: Part) -> Part:
    """Return a part as its full config, as its name if it has no options, or as the class or function that it is."""
    entry, config = find(kind, part)
    if entry.provenance is _GIVEN:
        return entry.target
    return entry.name if config is None else config


def part_to_json(kind: str, part: Part) -> dict[str, Any]:
    """Return a part as ``{"name": ..., **options}``."""
    entry, config = find(kind, part)
    if entry.provenance is _GIVEN:
        return {"name": written(entry.target)}
    return {"name": entry.name} | (options.to_json(config) if config is not None else {})


def part_from_json(kind: str, data: Mapping[str, Any] | str) -> Part:
    """Read what :func:`part_to_json` wrote; a bare name is accepted too."""
    if isinstance(data, str):
        return resolve(kind, data)
    values = dict(data)
    entry, config = find(kind, values.pop("name"))
    if config is None:
        if values:
            raise OptionError(f"{entry} has no options, but {sorted(values)[0]!r} is given")
        return resolve(kind, data["name"])
    return options.replace(config, values, f"{entry.name}.")
