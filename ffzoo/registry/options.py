"""Options as frozen dataclasses: checked, set from text, written to JSON and read back. No torch in here.

    @options
    class Threshold:
        theta: Annotated[float, Gt(0)] = 1.0
        grid: Annotated[int, Ge(1)] | Literal["all"] = 4

Types and ranges are checked as soon as an instance is made; a range is an annotation of the library annotated-types.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union

import annotated_types as at

from ffzoo.errors import OptionError, nearest

T = TypeVar("T")
C = TypeVar("C", bound=type)


@typing.dataclass_transform(frozen_default=True)
def options(cls: C) -> C:
    """Make a frozen dataclass whose values are checked; what depends on several fields is for its ``__post_init__``."""
    of_several: Callable[[Any], None] = getattr(cls, "__post_init__", lambda self: None)

    def __post_init__(self: Any) -> None:
        check(self)
        of_several(self)

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    return dataclasses.dataclass(frozen=True)(cls)  # type: ignore[return-value]


def field_types(cls: type) -> dict[str, Any]:
    """Return field name -> type of a dataclass, forward references resolved."""
    hints = _hints(cls, False)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


@functools.cache  # every instance is checked, and to resolve the annotations of a class takes longest
def _hints(cls: type, ranges: bool) -> Mapping[str, Any]:
    """Return the types of a class's fields, with or without the ranges that are annotated."""
    return typing.get_type_hints(cls, include_extras=ranges)


def type_words(annotation: Any) -> str:
    """Return a type in words for a message: ``a whole number``, ``'a' or 'b'``, ``a number or 'learned'``."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(repr(a) for a in args)
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(a) for a in args)
    if origin is tuple:
        return f"a comma-separated list of {_PLURALS.get(args[0]) or type_words(args[0])}"
    if origin is Mapping:
        return "a table of options"
    return str(_WORDS.get(annotation) or getattr(annotation, "__name__", str(annotation)))


_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    type(None): "none",
}
_PLURALS: Mapping[Any, str] = {int: "whole numbers", float: "numbers", str: "names"}


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
    if annotation is Path and isinstance(text, (str, Path)):
        return Path(text)
    if annotation is Any or (origin is Mapping and isinstance(text, Mapping)):
        return text
    if dataclasses.is_dataclass(annotation) and type(text) is annotation:
        return text
    raise ValueError


def replace(config: T, changes: Mapping[str, Any], where: str) -> T:
    """Return a copy of a config dataclass with some fields set.

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
    """Check every field's type and range: Python callers get the errors of the command line.

    Raises:
        OptionError: a value that does not fit its field, NaN and infinity included.
    """
    cls: type = type(config)
    ranges = _hints(cls, True)
    for name, annotation in field_types(type(config)).items():
        value = getattr(config, name)
        try:
            good = annotation is Any or parse(value, annotation) == value
        except (ValueError, OverflowError):
            good = False
        if not good or (isinstance(value, float) and not math.isfinite(value)):
            raise OptionError(f"{name} is {value!r}; expected {type_words(annotation)}")
        if not _in_range(value, ranges[name]):
            raise OptionError(f"{name} is {value!r}; expected {range_words(ranges[name])}")


def _in_range(value: Any, annotation: Any) -> bool:
    """Return whether a value of the right type is in the range that an annotation gives, if it gives one."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(_fits(value, a) and _in_range(value, a) for a in args)
    if origin is tuple:
        return all(_in_range(v, args[0]) for v in value)
    if origin is not Annotated:
        return True
    return _in_range(value, args[0]) and all(_holds(value, bound) for bound in _bounds(annotation))


def _fits(value: Any, annotation: Any) -> bool:
    try:
        return bool(parse(value, typing.get_args(annotation)[0] if _is_annotated(annotation) else annotation) == value)
    except (ValueError, OverflowError):
        return False


def _is_annotated(annotation: Any) -> bool:
    return typing.get_origin(annotation) is Annotated


def _bounds(annotation: Any) -> list[Any]:
    """Return the bounds of an annotation one by one: an interval is two."""
    found: list[Any] = []
    for bound in typing.get_args(annotation)[1:]:
        found += list(bound) if isinstance(bound, at.GroupedMetadata) else [bound]
    return found


def _holds(value: Any, bound: Any) -> bool:
    match bound:
        case at.Ge():
            return bool(value >= bound.ge)
        case at.Gt():
            return bool(value > bound.gt)
        case at.Le():
            return bool(value <= bound.le)
        case at.Lt():
            return bool(value < bound.lt)
        case at.MinLen():
            return len(value) >= bound.min_length
    raise TypeError(f"{bound!r} is no bound that options know; expected Ge, Gt, Le, Lt, Interval or MinLen")


def range_words(annotation: Any) -> str:
    """Return a range in words for a message: ``at least 1``, ``> 0, or 'all'``, ``in [0, 1)``."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return ", or ".join(range_words(a) if _is_annotated(a) else type_words(a) for a in args)
    if origin is tuple:
        return f"each {range_words(args[0])}"
    bounds = _bounds(annotation)
    low = next((b for b in bounds if isinstance(b, (at.Ge, at.Gt))), None)
    high = next((b for b in bounds if isinstance(b, (at.Le, at.Lt))), None)
    if low is not None and high is not None:
        left = f"[{low.ge}" if isinstance(low, at.Ge) else f"({low.gt}"
        return f"in {left}, " + (f"{high.le}]" if isinstance(high, at.Le) else f"{high.lt})")
    words = [_bound_words(b) for b in bounds]
    return " and ".join(words + ([range_words(args[0])] if typing.get_origin(args[0]) is tuple else []))


def _bound_words(bound: Any) -> str:
    match bound:
        case at.Ge():
            return f"at least {bound.ge}"
        case at.Gt():
            return f"> {bound.gt}"
        case at.Le():
            return f"at most {bound.le}"
        case at.Lt():
            return f"< {bound.lt}"
    return "at least one" if bound.min_length == 1 else f"at least {bound.min_length}"


def to_json(value: Any) -> Any:
    """Return a config's fields as plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(v) for v in value]
    return value


def to_text(value: Any) -> str:
    """Return a value as it would be written after ``--set``."""
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
