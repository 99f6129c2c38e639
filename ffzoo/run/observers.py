"""What watches a run: the metrics file, the progress on a terminal, and whatever a plugin adds.

    class Losses(Observer):
        def epoch(self, epoch, means):
            print(epoch, means["loss/1"])

    ffzoo.evaluate("dtg_ff", observers=[Losses()])

An observer sees a run and changes nothing of it. A registered one (``register_observers``) is chosen by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ffzoo.registry.loader import ZOO

if TYPE_CHECKING:
    from ffzoo.algorithms.contract import Algorithm, Metrics
    from ffzoo.run.folder import RunFolder
    from ffzoo.run.results import Evaluation, RunResult
    from ffzoo.run.spec import RunConfig


@dataclass(frozen=True)
class Run:
    """A run as its observers see it.

    Attributes:
        config: what is run.
        algorithm: what is trained.
        folder: where it is written; None where nothing is.
        steps: training steps per epoch.
        epochs_done: epochs that were trained before, where a run goes on.
    """

    config: RunConfig
    algorithm: Algorithm
    folder: RunFolder | None
    steps: int
    epochs_done: int = 0


class Observer:
    """Sees what happens in a run. A subclass overrides what it wants to see."""

    def start(self, run: Run) -> None:
        """See a run before its first step."""

    def step(self, metrics: Metrics) -> None:
        """See the scalars of a training step, still on the device."""

    def epoch(self, epoch: int, means: Mapping[str, float]) -> None:
        """See an epoch, counted from 1, and its means: of the steps, of the validation set, and what it cost."""

    def end(self, result: RunResult) -> None:
        """See the result of a run; of a run that was finished before, it is all there is to see."""

    def close(self, evaluation: Evaluation | None) -> None:
        """See the end of the last run; None where an error or an interruption ended them."""


class Observers(Observer):
    """Several observers, called one after the other.

    Args:
        each: the observers.
    """

    def __init__(self, each: Sequence[Observer]) -> None:
        self.each = tuple(each)

    def start(self, run: Run) -> None:
        """See :class:`Observer`."""
        for observer in self.each:
            observer.start(run)

    def step(self, metrics: Metrics) -> None:
        """See :class:`Observer`."""
        for observer in self.each:
            observer.step(metrics)

    def epoch(self, epoch: int, means: Mapping[str, float]) -> None:
        """See :class:`Observer`."""
        for observer in self.each:
            observer.epoch(epoch, means)

    def end(self, result: RunResult) -> None:
        """See :class:`Observer`."""
        for observer in self.each:
            observer.end(result)

    def close(self, evaluation: Evaluation | None) -> None:
        """See :class:`Observer`."""
        for observer in self.each:
            observer.close(evaluation)


class MetricsFile(Observer):
    """Writes a line per epoch into ``metrics.jsonl`` of the run's folder."""

    def __init__(self) -> None:
        self.folder: RunFolder | None = None

    def start(self, run: Run) -> None:
        """Keep the lines of the epochs that were trained before."""
        self.folder = run.folder
        if self.folder is not None:
            self.folder.keep_epochs(run.epochs_done)

    def epoch(self, epoch: int, means: Mapping[str, float]) -> None:
        """Append a line."""
        if self.folder is not None:
            self.folder.append_metrics({"epoch": epoch, **means})


def make_observer(chosen: str | Observer) -> Observer:
    """Return an observer, by its registered name or as it is.

    Raises:
        UnknownNameError: no observer of that name.
    """
    if isinstance(chosen, Observer):
        return chosen
    observer: Observer = ZOO["observers"].get(chosen).load()()
    return observer
