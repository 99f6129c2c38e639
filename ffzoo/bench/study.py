"""A study: the cells of one experiment, each computed once however often the command is interrupted. No torch in here.

The folder holds ``config.json``, the experiment's resolved options, and ``cells.jsonl``, one line for each
finished cell. The same command goes on with the cells that are missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ffzoo.errors import CheckpointError, OptionError
from ffzoo.files import replace_text
from ffzoo.registry import options

if TYPE_CHECKING:
    import torch

JSON: TypeAlias = Any
"""Null, a truth value, a finite number, text, or a list or dict of such values."""


@dataclass(frozen=True)
class MissingCell:
    """Stands for a cell that a study which only reads does not hold.

    Attributes:
        reason: why.
    """

    reason: str


CONFIG, CELLS, UNFINISHED = "config.json", "cells.jsonl", "unfinished"
NOT_COMPUTED = "not computed"  # what is said of a cell that is not there


@dataclass(frozen=True)
class Scratch:
    """A folder that one unfinished cell may fill, and that is deleted once the cell is stored.

    Nothing but this class deletes folders of a study, and nothing but what lies below ``root``.

    Attributes:
        root: folder of all unfinished cells.
        name: of this cell's folder in it, one part of a path.
    """

    root: Path
    name: str

    def __post_init__(self) -> None:
        if self.name in ("", ".", "..") or Path(self.name).name != self.name:
            raise ValueError(f"name is {self.name!r}; expected one part of a path, below {str(self.root)!r}")

    @property
    def folder(self) -> Path:
        """The folder; it need not be there."""
        return self.root / self.name

    def clear(self) -> None:
        """Delete the folder with everything in it, where it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Study:
    """One experiment's folder and progress.

    Args:
        experiment: its registered name.
        config: its options, a dataclass, or None when it has none.
        out: the folder; None keeps the cells in memory only. It is made with the first cell, so that an
            experiment can still refuse its options.
        progress: say on standard error which cell is being computed.
        plugins: plugin files that were loaded, for processes that an experiment starts.
        reads_only: compute nothing: a cell that is not there is an error, or a :class:`MissingCell`.

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
        reads_only: bool = False,
    ) -> None:
        self.experiment, self.out, self.plugins = experiment, out, plugins
        self.reads_only = reads_only
        self._resolved = {"experiment": experiment, "options": options.to_json(config)}
        self.shows, self._total = progress, 0
        self._cells: dict[str, JSON] = {}
        if out is not None and out.exists():
            self._read(out)

    def expect(self, cells: int) -> None:
        """Say how many cells there will be, beside those said before, for the progress."""
        self._total += cells

    def note(self, text: str) -> None:
        """Return one line of progress."""
        if self.shows:
            print(text, file=sys.stderr, flush=True)

    def cell(self, key: str, compute: Callable[[], JSON]) -> JSON:
        """Return the value of a cell: stored, or computed now and then stored.

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
        if self.reads_only:
            raise CheckpointError(f"{str(self.out)!r} has no cell {key!r}; expected a finished study")
        begun = time.monotonic()
        if self.shows:
            print(f"{self._count()}{key}", end="", file=sys.stderr, flush=True)
        try:
            value = self._store(key, compute())
        except BaseException:
            self.note("")  # ends the line
            raise
        self.note(f"  {time.monotonic() - begun:.1f} s")
        return value

    def cells(
        self,
        tasks: Mapping[str, Callable[[], JSON]],
        workers: int = 1,
        valid: Callable[[str, JSON], str | None] = lambda key, value: None,
    ) -> dict[str, JSON | MissingCell]:
        """Many cells, each stored as soon as it is there.

        Args:
            tasks: name -> what makes the value; for more than one worker it must pickle.
            workers: processes that compute side by side, each with its share of the cores.
            valid: says what is wrong with the stored value of a key, or None; a wrong one is reported and made again.

        Returns:
            In the order of the tasks. A study that only reads gives a :class:`MissingCell` for what is not there, or is
            wrong.

        Raises:
            Exception: what a task raised; the cells that were finished before are stored.
        """
        wrong = {key: reason for key in tasks if key in self._cells and (reason := valid(key, self._cells[key]))}
        for key, reason in wrong.items():
            self.note(f"{key}: left out, {reason}")
        todo = {key: task for key, task in tasks.items() if key not in self._cells or key in wrong}
        if self.reads_only:
            missing = {key: MissingCell(wrong.get(key, NOT_COMPUTED)) for key in todo}
            return {key: missing.get(key) or self._cells[key] for key in tasks}
        for key in wrong:
            del self._cells[key]
        if self.out is not None:
            self._begin(self.out)  # before the first cell is stored: a task may keep an unfinished one in the folder
        if workers > 1 and len(todo) > 1:
            self._side_by_side(todo, workers)
        else:
            for key, task in todo.items():
                self.cell(key, task)
        return {key: self._cells[key] for key in tasks}

    def _side_by_side(self, tasks: Mapping[str, Callable[[], JSON]], workers: int) -> None:
        begun, finished = time.monotonic(), 0
        context = multiprocessing.get_context("spawn")
        setup = (os.getpid(), max(1, (os.cpu_count() or 1) // workers), self.plugins)
        with ProcessPoolExecutor(workers, context, initializer=_become_worker, initargs=setup) as pool:
            waiting = {pool.submit(task): key for key, task in tasks.items()}
            try:
                for future in as_completed(waiting):
                    key = waiting[future]
                    count = self._count()
                    self._store(key, future.result())
                    finished += 1
                    rest = max(len(tasks) - finished, self._total - len(self._cells))  # more may follow these
                    left = (time.monotonic() - begun) / finished * rest
                    self.note(f"{count}{key}  {timedelta(seconds=round(left))} left")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def scratch(self, key: str) -> Scratch | None:
        """Return where the task of a cell may keep what it needs to go on; None in a study without a folder.

        Whatever is there is deleted once the cell is stored. Two cells never share a folder.
        """
        if self.out is None:
            return None
        readable = re.sub(r"[^\w.=-]", "_", key)[:80]
        return Scratch(self.out / UNFINISHED, f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:8]}")

    def _count(self) -> str:
        return f"{len(self._cells) + 1}/{self._total}  " if self._total else ""

    def _store(self, key: str, value: JSON) -> JSON:
        line = json.dumps({"key": key, "value": value}, allow_nan=False)
        if self.out is not None:
            self._append(self.out, line)
        self._cells[key] = json.loads(line)["value"]
        scratch = self.scratch(key)
        if scratch is not None and scratch.folder.exists():
            scratch.clear()
            with contextlib.suppress(OSError):  # other cells are unfinished
                scratch.root.rmdir()
        return self._cells[key]

    def machine(self, device: torch.device) -> dict[str, Any]:
        """Hardware, versions and commit that the cells are computed with.

        Raises:
            CheckpointError: the folder's first cells are of another machine or of other versions: times of two
                machines must not be compared.
        """
        from ffzoo.run import environment

        now = {"hardware": environment.hardware(device), "versions": environment.versions()}
        stored = self.cell("machine", lambda: {**now, "git": environment.git_commit()})
        if self.reads_only:
            return dict(stored)
        for kind, values in now.items():
            if stored[kind] != values:
                name = next(k for k in {**stored[kind], **values} if stored[kind].get(k) != values.get(k))
                raise CheckpointError(
                    f"{str(self.out)!r} was begun with {name} {stored[kind].get(name)!r}, and now it is "
                    f"{values.get(name)!r}: times would be mixed; expected another folder"
                )
        return dict(stored)

    def _begin(self, out: Path) -> None:
        if not (out / CONFIG).exists():
            out.mkdir(parents=True, exist_ok=True)
            replace_text(out / CONFIG, json.dumps(self._resolved, indent=2) + "\n")

    def _append(self, out: Path, line: str) -> None:
        self._begin(out)
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
        if key != "workers" and stored.get(key) != asked.get(key):  # how many work changes nothing that they find
            raise CheckpointError(
                f"{out!r} was begun with {key} {_text(stored.get(key))}, not {_text(asked.get(key))}; "
                "expected the same options, or another folder"
            )


def _become_worker(parent: int, threads: int, plugins: tuple[str, ...]) -> None:
    """Set up a process of a study: its share of the cores, its plugins, and an end when the study's process ends."""
    import torch

    from ffzoo.registry.loader import ZOO
    from ffzoo.run.environment import keep_freed_memory

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    torch.set_num_threads(threads)
    keep_freed_memory()
    for path in plugins:
        ZOO.load_file(path)


def _text(value: JSON) -> str:
    return ",".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
