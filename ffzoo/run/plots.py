"""One call for each plot of finished or interrupted runs; each returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch

from ffzoo.data.batch import Batch
from ffzoo.data.bundle import DataBundle
from ffzoo.errors import FFZooError, OptionError
from ffzoo.measure.locality import structural
from ffzoo.run.canvas import Drawing, Panel, stacked
from ffzoo.run.curves import curves_panel, folders_of, name_of, temperatures_panel
from ffzoo.run.folder import RunFolder
from ffzoo.run.inside import (
    confusion_panel,
    filters_panel,
    first_filters,
    goodness_of,
    goodness_panel,
    gradients_panel,
)
from ffzoo.run.runner import read_data
from ffzoo.run.spec import RunConfig
from ffzoo.run.tested import Tested, test
from ffzoo.run.trained import Trained, load

_SAMPLES = 512  # whose goodness is drawn
_PROBED = 8  # samples of the batch whose gradients are drawn


class _Opened:
    """A run's model and data, read when a plot wants them.

    Args:
        run: one run folder.
        data_dir: folder of the data sets.
    """

    def __init__(self, run: str | Path | RunFolder, data_dir: str | Path | None = None) -> None:
        self.folder = run if isinstance(run, RunFolder) else RunFolder(run)
        self.data_dir = data_dir

    @cached_property
    def config(self) -> RunConfig:
        return RunConfig.from_json(self.folder.config())

    @cached_property
    def model(self) -> Trained:
        return load(self.folder.path)

    @cached_property
    def data(self) -> DataBundle:
        return read_data(self.config, self.data_dir)

    def batch(self, size: int) -> Batch:
        """Return validation samples, or training samples where nothing is held out."""
        part = self.data.train if self.data.validation is None else self.data.validation
        order = torch.randperm(len(part), generator=torch.Generator().manual_seed(0))[:size]
        x, y, index = next(iter(part.batches([order])))
        return Batch(self.model.preprocess(x), y, index, generator=torch.Generator().manual_seed(0))

    def goodness(self) -> Panel:
        return goodness_panel(*goodness_of(self.model.algorithm, self.batch(_SAMPLES)))

    def gradients(self) -> Panel:
        found = structural(self.model.algorithm, self.batch(_PROBED))
        if found is None:
            raise OptionError(f"{self.config.algorithm.name} has no losses, and so no gradients between blocks")
        return gradients_panel(found)

    def filters(self) -> Panel:
        return filters_panel(first_filters(self.model.algorithm, self.model.shape))

    def confusion(self) -> Panel:
        return _confusion(test(self.folder.path, data_dir=self.data_dir, device="cpu"))


def _confusion(tested: Tested) -> Panel:
    return confusion_panel(tested.confusion_matrix, tested.class_names, tested.accuracy)


def curves(*runs: str | Path) -> Drawing:
    """Draw accuracy over epochs, per block and fused, a panel per run.

    It is that on validation data, or on training data where the run measured no other, and without any the loss.

    Args:
        runs: run folders; one of several runs stands for all of them.

    Raises:
        CheckpointError: a folder holds no run.
        OptionError: no epoch is finished, or there was no accuracy to measure.
    """
    return curves_panel(folders_of(runs)).drawn()


def temperatures(*runs: str | Path) -> Drawing:
    """Draw the blocks' learned temperatures over epochs, a panel per run.

    Args:
        runs: run folders; one of several runs stands for all of them.

    Raises:
        CheckpointError: a folder holds no run.
        OptionError: the rule learns none.
    """
    return temperatures_panel(folders_of(runs)).drawn()


def goodness(run: str | Path, *, data_dir: str | Path | None = None) -> Drawing:
    """Draw how the goodness of positive and of negative samples is distributed, a panel per block.

    Of a rule with negatives these are the samples of a training step; of one that scores classes, the score of the
    right class and of a wrong one. They are validation samples, up to 512.

    Args:
        run: a run folder.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.

    Raises:
        CheckpointError: the folder holds no run.
        DataError: the data are missing.
        OptionError: no block of the rule scores samples or classes.
    """
    return _Opened(run, data_dir).goodness().drawn()


def gradients(run: str | Path, *, data_dir: str | Path | None = None) -> Drawing:
    """Draw the norm of each loss's gradient on each block; an exact zero is left white.

    Args:
        run: a run folder.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.

    Raises:
        CheckpointError: the folder holds no run.
        DataError: the data are missing.
        OptionError: the rule has no losses.
    """
    return _Opened(run, data_dir).gradients().drawn()


def filters(run: str | Path) -> Drawing:
    """Draw the weights of the first layer's units as pictures, up to 64.

    Args:
        run: a run folder.

    Raises:
        CheckpointError: the folder holds no run.
        OptionError: the first layer reads no pixels.
    """
    return _Opened(run).filters().drawn()


def confusion(run: str | Path | Tested, *, data_dir: str | Path | None = None) -> Drawing:
    """Draw the confusion matrix of a finished run on its test set, or of what :func:`ffzoo.test` returned.

    Args:
        run: a run folder, or a test.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.

    Raises:
        CheckpointError: the folder holds no finished run.
        DataError: the data are missing.
    """
    return (_confusion(run) if isinstance(run, Tested) else _Opened(run, data_dir).confusion()).drawn()


def overview(*runs: str | Path, data_dir: str | Path | None = None) -> tuple[Drawing, list[str]]:
    """Draw all there is to see of a run on one page; of several runs, what can be compared over epochs.

    Args:
        runs: run folders; one of several runs stands for all of them.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.

    Returns:
        The figure, and a line for each plot that could not be drawn, with its reason.

    Raises:
        CheckpointError: a folder holds no run.
        OptionError: nothing can be drawn.
    """
    folders = folders_of(runs)
    wanted: list[list[tuple[str, Callable[[], Panel]]]]
    over_epochs: list[tuple[str, Callable[[], Panel]]] = [
        ("curves", lambda: curves_panel(folders)),
        ("temperatures", lambda: temperatures_panel(folders)),
    ]
    if len(folders) > 1:
        wanted, title = [[plot] for plot in over_epochs], ""
    else:
        one = _Opened(folders[0], data_dir)
        wanted = [
            over_epochs,
            [("goodness", one.goodness)],
            [("gradients", one.gradients), ("filters", one.filters), ("confusion", one.confusion)],
        ]
        title = f"{name_of(folders[0])}: {one.config.algorithm.name} on {one.config.dataset}, {one.config.backbone}"
    rows, left_out = [], []
    for row in wanted:
        panels = []
        for name, make in row:
            try:
                panels.append(make())
            except FFZooError as error:
                left_out.append(f"{name}: {error}")
        rows += [panels] if panels else []
    if not rows:
        raise OptionError(f"nothing can be drawn: {left_out[0]}")
    return stacked(rows, title).drawn(), left_out
