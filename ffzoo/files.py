"""Files that are there whole or not at all. No torch in here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, fill: Callable[[Path], object]) -> None:
    """Have a file written under a temporary name, then move it into place.

    Args:
        path: where it shall lie.
        fill: writes the file it is given.
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
    """The same for text."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
