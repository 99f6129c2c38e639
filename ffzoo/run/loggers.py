"""Observers that write to TensorBoard and to Weights & Biases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffzoo.errors import OptionError
from ffzoo.run.observers import Observer, Run

if TYPE_CHECKING:
    from ffzoo.run.results import Evaluation, RunResult


class TensorBoard(Observer):
    """Writes each epoch's means, and the test accuracy, as scalars.

    A run with a folder has them in its subfolder ``tensorboard``, others in ``runs/tensorboard``.

    Raises:
        OptionError: the package is not installed.
    """

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise OptionError(_needs("tensorboard")) from error
        self.make: Any = SummaryWriter
        self.writer: Any = None
        self.epochs = 0

    def start(self, run: Run) -> None:
        """Open the run's own folder of events."""
        self.close(None)
        within = run.folder.path if run.folder is not None else None
        path = within / "tensorboard" if within is not None else Path("runs", "tensorboard", run.config.label)
        self.writer = self.make(str(path))

    def epoch(self, epoch: int, means: Mapping[str, float]) -> None:
        """Write an epoch's means."""
        self.epochs = epoch
        for name, value in means.items():
            if value is not None:
                self.writer.add_scalar(name, value, epoch)

    def end(self, result: RunResult) -> None:
        """Write the test accuracy."""
        if self.writer is not None:
            self.writer.add_scalar("test_accuracy", result.test_accuracy, self.epochs)

    def close(self, evaluation: Evaluation | None) -> None:
        """Write what is still in memory."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


class WandB(Observer):
    """Logs each epoch's means to a run of Weights & Biases, and the result to its summary.

    The package's own environment variables apply: ``WANDB_PROJECT`` (``ffzoo`` without it), ``WANDB_MODE=offline``.

    Raises:
        OptionError: the package is not installed.
    """

    def __init__(self) -> None:
        try:
            import wandb
        except ImportError as error:
            raise OptionError(_needs("wandb")) from error
        self.wandb: Any = wandb
        self.run: Any = None

    def start(self, run: Run) -> None:
        """Begin a run with the name and the options of this one."""
        self.close(None)
        project, place = os.environ.get("WANDB_PROJECT", "ffzoo"), run.folder and str(run.folder)
        self.run = self.wandb.init(project=project, name=run.config.label, config=run.config.to_json(), dir=place)

    def epoch(self, epoch: int, means: Mapping[str, float]) -> None:
        """Log an epoch's means."""
        self.run.log({"epoch": epoch, **means})

    def end(self, result: RunResult) -> None:
        """Put the result into the summary."""
        if self.run is not None:
            self.run.summary.update({"test_accuracy": result.test_accuracy, "strictly_local": result.strictly_local})

    def close(self, evaluation: Evaluation | None) -> None:
        """End the run."""
        if self.run is not None:
            self.run.finish()
            self.run = None


def _needs(package: str) -> str:
    return f"observer {package!r} needs the package {package}; install it with `pip install 'ffzoo[{package}]'`"
