"""A run's folder: the names of its files, and every way to read or write one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffzoo.errors import CheckpointError, OptionError
from ffzoo.files import read_json, replace_text, write_json

if TYPE_CHECKING:
    from ffzoo.algorithms.contract import Algorithm

CONFIG, METRICS, RESULT, PLAN = "config.json", "metrics.jsonl", "result.json", "plan.json"


class RunFolder:
    """The folder of one run, or of several that were planned together.

    Args:
        path: where it lies; nothing is made before something is written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    def file(self, name: str) -> Path:
        """Return the path of a file in the folder."""
        return self.path / name

    # ---------------------------------------------------------------- one run

    @property
    def begun(self) -> bool:
        """Whether it holds a run."""
        return self.file(CONFIG).exists()

    @property
    def resumable(self) -> bool:
        """Whether it holds a checkpoint."""
        from ffzoo.training.checkpoint import TENSORS

        return self.file(TENSORS).exists()

    @property
    def finished(self) -> bool:
        """Whether it holds a result."""
        return self.file(RESULT).exists()

    def write_config(self, values: Mapping[str, Any]) -> None:
        """Write what is run, and make the folder."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.file(CONFIG), dict(values))

    def config(self) -> dict[str, Any]:
        """Read what is run.

        Raises:
            CheckpointError: the folder holds no run, several, or a file that is no configuration.
        """
        if not self.begun and self.file(PLAN).exists():
            raise CheckpointError(f"{str(self)!r} holds several runs; expected one of {', '.join(self.plan())} in it")
        found = read_json(self.file(CONFIG))
        if not isinstance(found, dict):
            raise CheckpointError(f"{str(self.file(CONFIG))!r} is not that of a run; expected a JSON object")
        return found

    def append_metrics(self, line: Mapping[str, Any]) -> None:
        """Append the line of one epoch."""
        with self.file(METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(line), allow_nan=False) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """Read the lines of all epochs; none where nothing was written yet.

        Raises:
            CheckpointError: a line is not JSON.
        """
        if not self.file(METRICS).exists():
            return []
        lines = self.file(METRICS).read_text(encoding="utf-8").splitlines(keepends=True)
        try:  # a line without its end was cut off when the run was killed
            return [json.loads(line) for line in lines if line.endswith("\n")]
        except ValueError as error:
            raise CheckpointError(f"{str(self.file(METRICS))!r} cannot be read: {error}") from error

    def keep_epochs(self, epochs: int) -> None:
        """Keep the metrics of the first epochs: those after the checkpoint are trained again."""
        if self.file(METRICS).exists():
            lines = self.file(METRICS).read_text(encoding="utf-8").splitlines(keepends=True)
            replace_text(self.file(METRICS), "".join(lines[:epochs]))

    def save(self, algorithm: Algorithm, position: dict[str, Any]) -> None:
        """Write a checkpoint; see :func:`ffzoo.training.checkpoint.save`."""
        from ffzoo.training import checkpoint

        checkpoint.save(self.path, algorithm, position)

    def restore(self, algorithm: Algorithm, training: bool = True) -> dict[str, Any]:
        """Read the checkpoint into an algorithm; see :func:`ffzoo.training.checkpoint.load`."""
        from ffzoo.training import checkpoint

        return checkpoint.load(self.path, algorithm, training)

    def write_result(self, values: Mapping[str, Any]) -> None:
        """Write what came out."""
        write_json(self.file(RESULT), dict(values))

    def result(self) -> Any:
        """Read what came out, as JSON values.

        Raises:
            CheckpointError: the run is not finished, or the file cannot be read.
        """
        return read_json(self.file(RESULT))

    def reopen(self, values: Mapping[str, Any]) -> None:
        """Write options that changed, and take the result away: the run goes on."""
        self.write_config(self.config() | dict(values))
        self.file(RESULT).unlink(missing_ok=True)

    # ---------------------------------------------------------------- several runs

    def write_plan(self, names: Sequence[str]) -> None:
        """Write which runs the folder holds."""
        write_json(self.file(PLAN), {"runs": list(names)})

    def plan(self) -> list[str]:
        """Read the names of the runs in it."""
        return list(read_json(self.file(PLAN))["runs"])

    def runs(self) -> list[RunFolder]:
        """Return the folders of the runs that were planned together; of one run it is the folder itself.

        Raises:
            CheckpointError: there is no such folder.
        """
        if not self.path.is_dir():
            raise CheckpointError(f"{str(self)!r} is no folder; expected one that --out made")
        return [RunFolder(self.path / name) for name in self.plan()] if self.file(PLAN).exists() else [self]

    def refuse_if_used(self) -> None:
        """Check that a new run may be written here.

        Raises:
            OptionError: the folder exists and is not empty, or is a file.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise OptionError(f"{str(self)!r} exists and is not empty; expected a new folder, or --resume {self}")
