"""A part as one writes it: its registered name, or its config to give it options. No torch in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ffzoo.errors import OptionError, UnknownNameError, nearest
from ffzoo.registry import options
from ffzoo.registry.entries import Entry, Provenance
from ffzoo.registry.loader import SHIPPED, ZOO
from ffzoo.version import __version__

Part = Any
"""A registered name, or an instance of a registered config dataclass."""

FORWARD_NORM = "forward_norm"
"""In place of a kind: normalizations, and ``"auto"``, which no other choice of a normalization understands."""

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
        part: a registered name or a config.

    Raises:
        UnknownNameError: nothing registered that name or config.
    """
    if kind == FORWARD_NORM:
        kind = "normalizations"
        if isinstance(part, str) and part == _AUTO.name:
            return _AUTO, None
        registry = ZOO[kind]
        if isinstance(part, str) and part not in registry:
            known = nearest(part, [*registry.names(), _AUTO.name])
            raise UnknownNameError(f"unknown forward_norm {part!r}: {known}{registry.hint}")
    if isinstance(part, str):
        entry = ZOO[kind].get(part)
        config = entry.load_config()
        return entry, config() if config else None
    return ZOO[kind].of_config(part), part


def resolve(kind: str, part: Part) -> Part:
    """Return a part as its full config, or as its name if it has no options."""
    entry, config = find(kind, part)
    return entry.name if config is None else config


def part_to_json(kind: str, part: Part) -> dict[str, Any]:
    """Return a part as ``{"name": ..., **options}``."""
    entry, config = find(kind, part)
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
        return entry.name
    return options.replace(config, values, f"{entry.name}.")
