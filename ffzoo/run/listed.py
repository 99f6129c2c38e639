"""The runs in a folder, from their files alone: what each is of, and how far it came. No torch in here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ffzoo.errors import CheckpointError, OptionError
from ffzoo.run.folder import CONFIG, METRICS, RESULT, RunFolder

State = Literal["finished", "unfinished", "not started", "unreadable"]


@dataclass(frozen=True)
class ListedRun:
    """One run as a list shows it.

    Attributes:
        folder: where it lies.
        algo: name of the algorithm; empty where the files cannot be read.
        dataset: name of the data set.
        backbone: name of the backbone.
        seed: of initial weights and data order.
        epochs: passes over the training set that were asked for.
        epochs_done: those that are finished.
        test_accuracy: fraction in [0, 1]; None where the run is not finished.
        state: ``finished``; ``unfinished``, which may be training still; ``not started``; or ``unreadable``.
        when: when its files were last written.
        problem: why it is unreadable; empty otherwise.
    """

    folder: Path
    algo: str
    dataset: str
    backbone: str
    seed: int
    epochs: int
    epochs_done: int
    test_accuracy: float | None
    state: State
    when: datetime
    problem: str = ""


def list_runs(folder: str | Path) -> list[ListedRun]:
    """Return the runs in a folder and below it, in the order of their names; nothing of torch is imported.

    Args:
        folder: of runs, or of one run.

    Raises:
        OptionError: there is no such folder, or no run in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise OptionError(f"{str(folder)!r} is no folder; expected one with run folders in it")
    found = [run for path in sorted(root.rglob(CONFIG), key=_in_order) if (run := _read(path.parent)) is not None]
    if not found:
        raise OptionError(f"{str(folder)!r} holds no run; expected what ffzoo train --out made, or a folder above it")
    return found


def _in_order(path: Path) -> list[tuple[int, str]]:
    """By name, with s2 before s10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", str(path))]


def _read(path: Path) -> ListedRun | None:
    """Return a run; None for a folder whose configuration is of something else."""
    run = RunFolder(path)
    written = max(run.file(name).stat().st_mtime for name in (CONFIG, METRICS, RESULT) if run.file(name).exists())
    when = datetime.fromtimestamp(written)
    try:
        config = run.config()
        if not {"algo", "fit"} <= set(config):  # of a study, for example
            return None
        done = len(run.metrics())
        result: dict[str, Any] = run.result() if run.finished else {}
        accuracy = float(result["test_accuracy"]) if run.finished else None
        fit = config["fit"]
        names = (str(config["algo"]), str(config["dataset"]), str(config["backbone"]), int(fit["seed"]))
        state: State = "finished" if run.finished else "unfinished" if done else "not started"
        return ListedRun(path, *names, int(fit["epochs"]), done, accuracy, state, when)
    except (CheckpointError, KeyError, TypeError, ValueError) as error:
        problem = str(error) if isinstance(error, CheckpointError) else f"{type(error).__name__} {error}"
        return ListedRun(path, "", "", "", 0, 0, 0, None, "unreadable", when, problem)
