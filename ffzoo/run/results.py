"""What a run gives: its result, and the results of several beside each other."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ffzoo.errors import CheckpointError
from ffzoo.measure.statistics import Gap, paired_gap
from ffzoo.run import shown
from ffzoo.run.folder import RESULT, RunFolder
from ffzoo.run.frames import data_frame

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunResult:
    """One trained and tested run; the fields of ``result.json``. What was not measured is None.

    Attributes:
        schema_version: of this file.
        algo: name of the algorithm.
        dataset: name of the data set.
        backbone: name of the backbone.
        seed: of initial weights and data order.
        epochs: passes over the training set.
        num_classes: K.
        parameters: trained and untrained weights of backbone and algorithm.
        test_accuracy: fraction in [0, 1].
        validation_accuracy: fraction after training, with what is fitted or chosen at its end.
        per_block_accuracy: test accuracy of each block's own scores.
        fusion: name of the fusion.
        fusion_grad: ``detached`` or ``one_hop``.
        isolation: declared.
        coupling: declared.
        images_per_second: over all training work; loading, evaluation and the first steps excluded.
        peak_memory_bytes: from the first step to the end of training, of the process (Linux) or of the allocator
            (CUDA); None elsewhere.
        saved_activation_bytes: peak bytes of distinct storages kept for a later backward in one step.
        train_seconds: of all training work, the first steps included; loading, augmentation and evaluation are not.
        wall_seconds: from the first step to the end of training, evaluation on the validation set included.
        train_flops: floating-point operations of matrix products and convolutions in training.
        blocks: number of blocks.
        max_weight_layers_per_block: most weight layers in one block.
        locality: ``structural`` and ``black_box``, as measured; structural is None without losses.
        strictly_local: every probe made, before training and after it, says so.
        device: what it ran on.
        precision: ``fp32`` or ``bf16``.
        split: how the data were split.
        data_sha256: hash of the data.
        test_reads: how often the test set was read.
        search_trials: settings tried before this one by the caller; None when unknown.
        metrics: what the metrics that were asked for computed on the test set, by their names.
        versions: of the packages.
        git: commit of a source checkout.
        folder: the run folder; not part of the file.
    """

    algo: str
    dataset: str
    backbone: str
    seed: int
    epochs: int
    num_classes: int
    parameters: int
    test_accuracy: float
    validation_accuracy: float | None
    per_block_accuracy: list[float | None] | None
    fusion: str
    fusion_grad: str
    isolation: str
    coupling: str
    images_per_second: float | None
    peak_memory_bytes: int | None
    saved_activation_bytes: int | None
    train_seconds: float
    wall_seconds: float
    train_flops: int | None
    blocks: int
    max_weight_layers_per_block: int
    locality: dict[str, bool | None]
    strictly_local: bool
    device: str
    precision: str
    split: str
    data_sha256: str
    versions: dict[str, str]
    git: str | None
    test_reads: int
    search_trials: int | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION
    folder: str | None = None

    @classmethod
    def read(cls, path: str | Path) -> RunResult:
        """Read a finished run's ``result.json``.

        Raises:
            CheckpointError: missing, unreadable, or of another schema version.
        """
        folder = RunFolder(path)
        data, file = folder.result(), str(folder.file(RESULT))
        if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
            raise CheckpointError(f"{file!r} is not a result of schema version {SCHEMA_VERSION}")
        try:
            return cls(**(data | {"folder": str(folder)}))
        except TypeError as error:
            raise CheckpointError(f"{file!r} is not a result: {error}") from error


@dataclass(frozen=True)
class Comparison:
    """Another algorithm on the same data with the same seeds.

    Attributes:
        other: its runs.
        gap: paired difference, the first algorithm minus this one.
    """

    other: Evaluation
    gap: Gap


@dataclass(frozen=True)
class Evaluation:
    """One algorithm's runs, one per seed, and those of the algorithms it was compared with.

    Attributes:
        runs: one per seed.
        against: the other algorithms, in the order of ``against=``.
    """

    runs: tuple[RunResult, ...]
    against: tuple[Comparison, ...] = ()

    @property
    def test_accuracy(self) -> float:
        """Mean over seeds, a fraction in [0, 1]."""
        return statistics.fmean(r.test_accuracy for r in self.runs)

    @property
    def test_accuracy_sd(self) -> float | None:
        """Standard deviation over seeds; None for one seed."""
        return statistics.stdev(r.test_accuracy for r in self.runs) if len(self.runs) > 1 else None

    @property
    def strictly_local(self) -> bool:
        """Whether every run was measured to be strictly local."""
        return all(r.strictly_local for r in self.runs)

    def to_dataframe(self) -> Any:
        """Return a ``pandas.DataFrame`` with a row per run, those it was compared with included.

        Raises:
            OptionError: pandas is not installed.
        """
        return data_frame(shown.rows(self))

    def to_latex(self) -> str:
        """Return a LaTeX table of accuracies and gaps; it needs the package booktabs."""
        return shown.latex(self)

    def plot(self) -> Any:
        """Return a matplotlib figure: a point per seed and the mean for each algorithm, and the gaps."""
        return shown.panel(self).drawn()

    def _repr_html_(self) -> str:
        """Return a table for a notebook."""
        return shown.html(self)

    def searched(self, trials: int) -> Evaluation:
        """Return the same with ``search_trials`` of every run set."""
        runs = tuple(replace(run, search_trials=trials) for run in self.runs)
        return Evaluation(runs, tuple(Comparison(c.other.searched(trials), c.gap) for c in self.against))


def summary(results: Sequence[RunResult]) -> Evaluation:
    """Return the runs of several algorithms, the first of which is compared with the others."""
    names = list(dict.fromkeys(r.algo for r in results))
    first, *others = (tuple(r for r in results if r.algo == name) for name in names)
    accuracies = [r.test_accuracy for r in first]
    gaps = [paired_gap(accuracies, [r.test_accuracy for r in other]) for other in others]
    return Evaluation(first, tuple(Comparison(Evaluation(o), gap) for o, gap in zip(others, gaps, strict=True)))
