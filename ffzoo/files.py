"""Files that are there whole or not at all. No torch in here."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ffzoo.errors import CheckpointError


def replace_file(path: Path, fill: Callable[[Path], object]) -> None:
    """Have a file written under a temporary name, then move it into place.

    Args:
        path: where the file shall lie.
        fill: writes the file it is given.

    Raises:
        OSError: the disk is full or the folder cannot be written; what was there before is still whole.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        fill(temporary)
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write text under a temporary name and move it into place."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, data: Any) -> None:
    """Write JSON under a temporary name and move it into place; NaN is refused."""
    replace_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CheckpointError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{str(path)!r} does not exist; expected a run folder with {path.name}") from None
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be read: {error}") from error
