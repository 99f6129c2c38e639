"""Options as frozen dataclasses: set from text, written to JSON and read back. No torch in here."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union

from ffzoo.errors import OptionError, nearest

T = TypeVar("T")


def field_types(cls: type) -> dict[str, Any]:
    """Field name -> type of a dataclass, forward references resolved."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


def type_words(annotation: Any) -> str:
    """A type in words for a message: ``int``, ``'a' or 'b'``, ``float or 'learned'``."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(repr(a) for a in args)
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(a) for a in args)
    if origin is tuple:
        return f"a comma-separated list of {type_words(args[0])}"
    if annotation is type(None):
        return "none"
    return {bool: "true or false"}.get(annotation, getattr(annotation, "__name__", str(annotation)))


def parse(text: Any, annotation: Any) -> Any:
    """Convert the text of a command line, or a value from TOML, JSON or Python, to a type.

    Raises:
        ValueError: the value does not fit the type.
    """
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        for option in sorted(args, key=lambda a: a is str):  # str accepts anything: try it last
            try:
                return parse(text, option)
            except (ValueError, OverflowError):
                continue
        raise ValueError
    if origin is Literal:
        for choice in args:
            if text == choice or (isinstance(text, str) and text == str(choice)):
                return choice
        raise ValueError
    if origin is tuple:
        if isinstance(text, str) and text.lower() in ("", "none"):
            return ()
        items = text.split(",") if isinstance(text, str) else text
        if not isinstance(items, (list, tuple)):
            raise ValueError
        return tuple(parse(i.strip() if isinstance(i, str) else i, args[0]) for i in items)
    if annotation is type(None):
        if text is None or (isinstance(text, str) and text.lower() in ("none", "null")):
            return None
        raise ValueError
    if annotation is bool:
        if isinstance(text, bool):
            return text
        if isinstance(text, str) and text.lower() in ("true", "yes", "on", "1"):
            return True
        if isinstance(text, str) and text.lower() in ("false", "no", "off", "0"):
            return False
        raise ValueError
    if annotation is int:
        if not isinstance(text, (int, float, str)) or isinstance(text, bool):
            raise ValueError
        if isinstance(text, float) and text != int(text):
            raise ValueError
        return int(text)
    if annotation is float:
        if not isinstance(text, (int, float, str)) or isinstance(text, bool):
            raise ValueError
        return float(text)
    if annotation is str and isinstance(text, str):
        return text
    if dataclasses.is_dataclass(annotation) and type(text) is annotation:
        return text
    raise ValueError


def replace(config: T, changes: Mapping[str, Any], where: str) -> T:
    """A copy of a config dataclass with some fields set.

    Args:
        config: a frozen dataclass instance.
        changes: field name -> value, typed or as text.
        where: the key's prefix, for messages, e.g. ``"backbone."``.

    Raises:
        OptionError: an unknown field or a value of the wrong type.
    """
    fields = field_types(type(config))
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in fields:
            raise OptionError(f"unknown option {where + name!r}: {nearest(name, fields)}")
        try:
            values[name] = parse(value, fields[name])
        except (ValueError, OverflowError):
            raise OptionError(f"option {where + name!r} is {value!r}; expected {type_words(fields[name])}") from None
    return dataclasses.replace(config, **values)  # type: ignore[type-var]


def check(config: Any) -> None:
    """Check every field's type, for ``__post_init__``: Python callers get the errors of the command line.

    Raises:
        OptionError: a value that does not fit its field, NaN and infinity included.
    """
    for name, annotation in field_types(type(config)).items():
        value = getattr(config, name)
        try:
            good = annotation is Any or parse(value, annotation) == value
        except (ValueError, OverflowError):
            good = False
        if not good or (isinstance(value, float) and not math.isfinite(value)):
            raise OptionError(f"{name} is {value!r}; expected {type_words(annotation)}")


def to_json(value: Any) -> Any:
    """A config's fields as plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(v) for v in value]
    return value


def to_text(value: Any) -> str:
    """A value as it would be written after ``--set``."""
    if isinstance(value, (tuple, list)):
        return ",".join(map(to_text, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Check one option's range, for ``__post_init__``.

    Raises:
        OptionError: ``name is value; expected ...``.
    """
    if not condition:
        raise OptionError(f"{name} is {value!r}; expected {expected}")
