"""A study: the cells of one experiment, each computed once however often the command is interrupted. No torch in here.

The folder holds ``config.json``, the experiment's resolved options, and ``cells.jsonl``, one line for each
finished cell. The same command goes on with the cells that are missing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ffzoo import options
from ffzoo.bench.files import replace_text
from ffzoo.errors import CheckpointError, OptionError

if TYPE_CHECKING:
    import torch

JSON: TypeAlias = Any
"""Null, a truth value, a finite number, text, or a list or dict of such values."""

CONFIG, CELLS = "config.json", "cells.jsonl"


class Study:
    """One experiment's folder and progress.

    Args:
        experiment: its registered name.
        config: its options, a dataclass, or None when it has none.
        out: the folder; None keeps the cells in memory only. It is made with the first cell, so that an
            experiment can still refuse its options.
        progress: say on standard error which cell is being computed.
        plugins: plugin files that were loaded, for processes that an experiment starts.

    Attributes:
        shows: whether progress is asked for.

    Raises:
        CheckpointError: the folder belongs to another experiment, was begun with other options, or is corrupt.
        OptionError: the folder holds something else.
    """

    def __init__(
        self,
        experiment: str,
        config: Any = None,
        out: Path | None = None,
        *,
        progress: bool = False,
        plugins: tuple[str, ...] = (),
    ) -> None:
        self.experiment, self.out, self.plugins = experiment, out, plugins
        self._resolved = {"experiment": experiment, "options": options.to_json(config)}
        self.shows, self._total = progress, 0
        self._cells: dict[str, JSON] = {}
        if out is not None and out.exists():
            self._read(out)

    def expect(self, cells: int) -> None:
        """Say how many cells there will be in all, for the progress."""
        self._total = cells

    def note(self, text: str) -> None:
        """One line of progress."""
        if self.shows:
            print(text, file=sys.stderr, flush=True)

    def cell(self, key: str, compute: Callable[[], JSON]) -> JSON:
        """The value of a cell: stored, or computed now and then stored.

        Args:
            key: its name in this study.
            compute: makes the value.

        Returns:
            The value as JSON gives it back: tuples are lists, keys are text.

        Raises:
            ValueError: the value holds NaN or infinity.
        """
        if key in self._cells:
            return self._cells[key]
        count = f"{len(self._cells) + 1}/{self._total}  " if self._total else ""
        if self.shows:
            print(f"{count}{key}", end="", file=sys.stderr, flush=True)
        begun = time.monotonic()
        try:
            line = json.dumps({"key": key, "value": compute()}, allow_nan=False)
            if self.out is not None:
                self._append(self.out, line)
        except BaseException:
            self.note("")  # ends the line
            raise
        self.note(f"  {time.monotonic() - begun:.1f} s")
        self._cells[key] = json.loads(line)["value"]
        return self._cells[key]

    def machine(self, device: torch.device) -> dict[str, Any]:
        """Hardware, versions and commit that the cells are computed with.

        Raises:
            CheckpointError: the folder's first cells are of another machine or of other versions: times of two
                machines must not be compared.
        """
        from ffzoo import environment

        now = {"hardware": environment.hardware(device), "versions": environment.versions()}
        stored = self.cell("machine", lambda: {**now, "git": environment.git_commit()})
        for kind, values in now.items():
            if stored[kind] != values:
                name = next(k for k in {**stored[kind], **values} if stored[kind].get(k) != values.get(k))
                raise CheckpointError(
                    f"{str(self.out)!r} was begun with {name} {stored[kind].get(name)!r}, and now it is "
                    f"{values.get(name)!r}: times would be mixed; expected another folder"
                )
        return dict(stored)

    def _append(self, out: Path, line: str) -> None:
        if not (out / CONFIG).exists():
            out.mkdir(parents=True, exist_ok=True)
            replace_text(out / CONFIG, json.dumps(self._resolved, indent=2) + "\n")
        with (out / CELLS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self, out: Path) -> None:
        """Check whose folder it is, and read what it holds."""
        if not (out / CONFIG).exists():
            if not out.is_dir() or any(out.iterdir()):
                raise OptionError(f"{str(out)!r} exists and holds no study; expected a new folder")
            return
        try:
            stored = json.loads((out / CONFIG).read_text(encoding="utf-8"))
            _refuse_other(str(out), stored["experiment"], stored["options"] or {}, self._resolved)
            text = (out / CELLS).read_text(encoding="utf-8") if (out / CELLS).exists() else ""
            whole, _, rest = text.rpartition("\n")  # a kill may have cut the last line
            for line in whole.splitlines():
                cell = json.loads(line)
                self._cells[cell["key"]] = cell["value"]
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{str(out)!r} is not a readable study ({error}); expected a new folder") from error
        if rest:
            replace_text(out / CELLS, whole + "\n" if whole else "")
        if self._cells:
            self.note(f"{len(self._cells)} cells are in {out} already")


def _refuse_other(out: str, experiment: str, stored: dict[str, JSON], resolved: dict[str, Any]) -> None:
    if experiment != resolved["experiment"]:
        raise CheckpointError(
            f"{out!r} holds the experiment {experiment!r}, not {resolved['experiment']!r}; expected another folder"
        )
    asked = resolved["options"] or {}
    for key in {**stored, **asked}:
        if stored.get(key) != asked.get(key):
            raise CheckpointError(
                f"{out!r} was begun with {key} {_text(stored.get(key))}, not {_text(asked.get(key))}; "
                "expected the same options, or another folder"
            )


def _text(value: JSON) -> str:
    return ",".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
