"""Configuration files: the keys of ``--set`` and the command's own options, in TOML. No torch in here.

Some ship with the library and go by their bare name::

    python -m ffzoo.eval --config fast_cifar --algo dtg_ff
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from ffzoo.errors import OptionError, nearest
from ffzoo.registry import options

_SHIPPED = resources.files("ffzoo") / "run" / "configurations"


@dataclass(frozen=True)
class RunTable:
    """The table ``[run]`` of a configuration: what has a command-line option of its own, which overrides it.

    Attributes:
        algo: the algorithm.
        against: algorithms to compare it with.
        dataset: the data set.
        backbone: the backbone.
        epochs: passes over the training part.
        batch_size: samples a step.
        precision: of the blocks.
        memory_format: how maps lie in memory.
        convolution: how 3x3 convolutions are computed.
    """

    algo: str | None = None
    against: tuple[str, ...] = ()
    dataset: str | None = None
    backbone: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    precision: Literal["fp32", "bf16"] | None = None
    memory_format: Literal["channels_last", "contiguous"] | None = None
    convolution: Literal["direct", "winograd"] | None = None


def shipped() -> dict[str, str]:
    """Names of the configurations that ship, each with the first line of its file, in words."""
    files = sorted(_SHIPPED.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        for file in files
        if file.name.endswith(".toml")
    }


def read(name: str) -> tuple[RunTable, dict[str, Any]]:
    """Read a configuration.

    Args:
        name: a file, or the bare name of one that ships.

    Returns:
        Its table ``[run]``, and everything else as ``--set`` has it: ``{"fit.lr": 0.01, "fusion": "last"}``.

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
    return options.replace(RunTable(), run, "run."), _flatten(tables)


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
