"""The contract of an algorithm: what trains and predicts. BP obeys the same one as every local rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.checkpointing import checkpoint_blocks
from ffzoo.data.batch import Batch, Batches, Item, Samples
from ffzoo.errors import OptionError
from ffzoo.parts.base import Fusion

Metrics = dict[str, Tensor]
"""Scalars of one step: ``loss/1``, ``accuracy/1`` per block (counted from 1), ``loss/fusion``."""


class Algorithm(nn.Module):
    """What trains and predicts; small on purpose.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: the algorithm's options: a recipe, or the frozen dataclass it registered.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        fit_options: what was given as ``fit``.
        execution: how a step runs, set by :meth:`run_as`.
        isolation: where the gradient stops.
        coupling: what else passes back from later blocks.
        fusion: name of the fusion, for reports.
        needs_validation: ``finish`` chooses something on the validation set.
        fusion_grad: ``detached``, or ``one_hop`` where the loss of a trained fusion reaches the blocks that it reads.
    """

    isolation: str = "local"
    coupling: str = "none"
    fusion: str = "last"
    fusion_grad: str = "detached"
    needs_validation: bool = False
    has_losses: ClassVar[bool] = True  # False: the rule's credit is not the gradient of a loss
    views: ClassVar[tuple[str, ...]] = ("positive",)  # what a step forwards; a recipe's views follow from its parts

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_classes = num_classes
        self.config = config
        self.fit_options = fit
        self.run_as(Execution())

    def run_as(self, execution: Execution) -> None:
        """Choose how steps run; must be called once, before training."""
        self.execution = execution
        channels_last = execution.memory_format == "channels_last"
        self.backbone.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
        if execution.checkpoint_blocks:
            checkpoint_blocks(self.backbone)

    def start(self, train: Samples, epochs: int) -> None:
        """Prepare the first step: class hierarchies, closed forms, the length of schedules."""

    def extend(self, steps: int) -> None:
        """Go on until so many steps are taken in all, where :meth:`start` was told of fewer."""

    def train_step(self, batch: Batch | Tensor, y: Tensor | None = None) -> Metrics:
        """Take one step with its own updates; ``train_step(x, y)`` is short for a :class:`Batch`.

        Returns:
            Detached scalars, at least the per-block losses where there are any.
        """
        raise NotImplementedError

    def finish(self, train: Samples, validation: Samples | None) -> None:
        """Finish after the last epoch: fit probes, and choose what is chosen on the validation set."""

    def fit(
        self, batches: Iterable[Item], *, epochs: int, validation: Iterable[Item] | None = None
    ) -> list[dict[str, float]]:
        """Train from start to finish: :meth:`start`, the steps of every epoch, :meth:`finish`.

        Args:
            batches: pairs ``(x, y)``, or :class:`Batch` where a rule needs to know which samples they are. They are
                read again in every epoch, and by ``start`` and ``finish``: a list or a DataLoader, but no generator.
            epochs: passes over the batches.
            validation: batches that a fusion may choose on.

        Returns:
            For each epoch the means of its steps' metrics.

        Raises:
            OptionError: there is no epoch, or no validation for a fusion that chooses on it.
            DataError: batches that cannot be trained on.
        """
        if epochs < 1:
            raise OptionError(f"epochs is {epochs}; expected at least 1")
        if self.needs_validation and validation is None:
            raise OptionError(
                f"fusion {self.fusion!r} chooses on validation samples, but fit got none; "
                "expected fit(..., validation=batches), or another fusion, such as fusion=sum"
            )
        device = next(self.parameters()).device
        train = Batches(batches, device)
        held_out = None if validation is None else Batches(validation, device)
        self.start(train, epochs)
        means = []
        for epoch in range(epochs):
            totals: Metrics = {}
            for batch in train:
                for key, value in self.train_step(dataclasses.replace(batch, epoch=epoch)).items():
                    totals[key] = totals.get(key, 0.0) + value
            means.append({key: float(total) / train.steps for key, total in totals.items()})
        self.finish(train, held_out)
        return means

    @property
    def blocks_score_cheaply(self) -> bool:
        """Whether :meth:`scores` takes about as long as :meth:`predict`: blocks are then scored after every epoch."""
        return True

    def readings(self) -> dict[str, float]:
        """Return what is worth a line per epoch besides the means of the steps, such as ``temperature/1``."""
        return {}

    @property
    def fitted(self) -> bool:
        """Whether it can predict: False before :meth:`finish` where that fits the readout, such as a probe."""
        return all(module.fitted for module in self.modules() if isinstance(module, Fusion))

    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return the prediction ``(B, K)``, and each block's own ``(B, K)`` where it has one.

        Changes nothing: parameters, buffers, train mode and random state stay as they are.

        Raises:
            NotFittedError: the readout is not :attr:`fitted`.
        """
        raise NotImplementedError

    def predict(self, x: Tensor) -> Tensor:
        """Return scores ``(B, K)``, highest for the predicted class; changes nothing.

        Raises:
            NotFittedError: the readout is not :attr:`fitted`.
        """
        return self.scores(x)[0]

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the features of each block, ``(B, C, H, W)`` or ``(B, D)``; changes nothing."""
        raise NotImplementedError

    def losses(self, batch: Batch) -> list[Tensor] | None:
        """Return each block's loss, then the heads', with their graphs, for the audits; None if there are no losses.

        It is the computation of a step without its updates.
        """
        return None

    def owner(self, key: str) -> int | None:
        """Return the block that owns a tensor of the state dict or the training state; None: shared, or a head's."""
        raise NotImplementedError

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return what training needs beyond the state dict: optimizer tensors, and JSON values."""
        return {}, {}

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Restore what :meth:`training_state` returned."""


def as_batch(batch: Batch | Tensor, y: Tensor | None) -> Batch:
    """Return the two call forms of ``train_step`` as one."""
    if isinstance(batch, Batch):
        return batch
    if y is None:
        raise TypeError("train_step(x, y) needs the labels y, or pass a Batch")
    return Batch(batch, y)
