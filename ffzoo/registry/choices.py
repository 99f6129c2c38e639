"""A part as one writes it: its registered name, or its config to give it options. No torch in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ffzoo.errors import OptionError
from ffzoo.registry import options
from ffzoo.registry.entries import Entry
from ffzoo.registry.loader import ZOO

Part = Any
"""A registered name, or an instance of a registered config dataclass."""


def find(kind: str, part: Part) -> tuple[Entry, object | None]:
    """The registered entry of a part, and its config (None when it has no options).

    Raises:
        UnknownNameError: nothing registered that name or config.
    """
    if isinstance(part, str):
        entry = ZOO[kind].get(part)
        config = entry.load_config()
        return entry, config() if config else None
    return ZOO[kind].of_config(part), part


def resolve(kind: str, part: Part) -> Part:
    """A part as its full config, or as its name when it has no options."""
    entry, config = find(kind, part)
    return entry.name if config is None else config


def part_to_json(kind: str, part: Part) -> dict[str, Any]:
    """``{"name": ..., **options}``."""
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
