"""Configuration files: the keys of ``--set`` and the command's own options, in TOML. No torch in here.

Some ship with the library and go by their bare name::

    ffzoo train --config fast_cifar --algo dtg_ff
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from ffzoo.errors import OptionError, nearest
from ffzoo.registry import options
from ffzoo.run.spec import RunSpec

_SHIPPED = resources.files("ffzoo") / "run" / "configurations"


KEYS = tuple(name for name in options.field_types(RunSpec) if name not in ("settings", "data_dir", "out", "progress"))
"""Keys of the table ``[run]``: what a user may say of a run, but for the machine's folders and its terminal."""


def shipped() -> dict[str, str]:
    """Return the names of the configurations that ship, each with the first line of its file, in words."""
    files = sorted(_SHIPPED.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        for file in files
        if file.name.endswith(".toml")
    }


def read(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a configuration.

    Args:
        name: a file, or the bare name of one that ships.

    Returns:
        What its table ``[run]`` says, as fields of :class:`~ffzoo.run.spec.RunSpec`; and everything else as ``--set``
        has it: ``{"fit.lr": 0.01, "fusion": "last"}``.

    Raises:
        OptionError: there is no such file or name, it is not TOML, or ``[run]`` has a key or value that it cannot have.
    """
    try:
        if "." in name or Path(name).name != name:
            text = Path(name).read_text(encoding="utf-8")
        elif name in shipped():
            text = (_SHIPPED / f"{name}.toml").read_text(encoding="utf-8")
        else:
            raise OptionError(
                f"unknown configuration {name!r}: {nearest(name, shipped())}; a file's name ends in .toml"
            )
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not text"
        raise OptionError(f"--config {name!r} cannot be read: {cause}") from error
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"--config {name!r} is not TOML: {error}") from error
    run = tables.pop("run", {})
    if not isinstance(run, dict):
        raise OptionError(f"--config {name!r} has run = {run!r}; expected a table [run]")
    for key in run:
        if key not in KEYS:
            raise OptionError(f"unknown option 'run.{key}': {nearest(key, KEYS)}")
    spec = options.replace(RunSpec(), run, "run.")
    return {key: getattr(spec, key) for key in run}, _flatten(tables)


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
