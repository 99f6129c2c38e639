"""What the algorithms that are a class of their own share: a walk over detached blocks, and the book-keeping of a step.

A subclass says what a block learns when the walk has reached it. Blocks are cut apart as the engine cuts them: the
gradient stops behind each, a parameter-free norm may stand in front of the next, and every block has its own optimizer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ffzoo.algorithm import Algorithm, Batch, Metrics, Samples, as_batch
from ffzoo.backbones.base import Backbone, full_precision
from ffzoo.backbones.batchnorm import has_batch_statistics
from ffzoo.closed_form import allow_compiled_blocks
from ffzoo.errors import OptionError
from ffzoo.recipe import find
from ffzoo.training.optim import HEAD, BlockOptimizers, learning_rate_factor
from ffzoo.training.options import Execution, FitOptions

_CALIBRATION_SAMPLES = 5000

Learn = Callable[[], None]
"""What a block has to do to learn."""


@dataclass(frozen=True)
class MicroBatch(Batch):
    """A part of a batch.

    Attributes:
        start: its first row in the batch.
        share: of the batch's samples.
        last: no other part follows, so that blocks are updated.
    """

    start: int = 0
    share: float = 1.0
    last: bool = True


class BlockwiseAlgorithm(Algorithm):
    """Base of an algorithm whose blocks learn by a rule of its own.

    A subclass implements :meth:`learn` and :meth:`ffzoo.Algorithm.scores`. In a name such as ``readouts.2.weight`` the
    first number is the block that owns the tensor; parameters without a number are those of a head.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: the algorithm's options, with the field ``forward_norm``.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        norms: ``norms[l]`` stands in front of block l, ``norms[depth]`` in front of what reads the last block.

    Raises:
        UnknownNameError: no such forward norm.
    """

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        name = config.forward_norm
        if name == "auto":
            name = "none" if backbone.normalized else "layernorm"
        entry, options = find("normalizations", name)
        norms = [entry.load()(options, shape) for shape in backbone.feature_shapes]
        self.norms = nn.ModuleList([nn.Identity(), *norms])
        self.step_count, self.total_steps = 0, 0

    @cached_property
    def optimizers(self) -> BlockOptimizers:
        """One for each block's parameters and one for the heads'; made when the subclass has built all of them."""
        named = [(self.owner(name), name, p) for name, p in self.named_parameters()]
        blocks = [[p for owner, _, p in named if owner == l] for l in range(self.backbone.depth)]
        heads = [p for owner, name, p in named if owner is None and not name.startswith("backbone.")]
        return BlockOptimizers(blocks, heads, self.fit)

    def owner(self, key: str) -> int | None:
        """See :meth:`ffzoo.Algorithm.owner`."""
        if key.startswith("optimizer."):
            return BlockOptimizers.owner(key)
        module, _, rest = key.partition(".")
        if module == "backbone":
            return self.backbone.owner(rest)
        number = rest.split(".")[0]
        return int(number) if number.isdigit() and int(number) < self.backbone.depth else None

    # ---------------------------------------------------------------- a step

    def begin(self, batch: Batch) -> None:
        """Called once a step before :meth:`learn`, for random numbers that must not depend on micro-batches."""

    def learn(self, part: MicroBatch, metrics: Metrics) -> None:
        """Add up what a part of the batch teaches, and update the blocks when it is the last one.

        Args:
            part: the samples; the whole batch unless it was cut into micro-batches.
            metrics: scalars of the whole batch, for :func:`note`.
        """
        raise NotImplementedError

    def rate(self) -> float:
        """Factor of the learning rate in the step at hand.

        A step outside the schedule, such as an audit's after the last epoch, runs at the full rate: at a rate of zero
        nothing would leak.
        """
        if self.step_count >= self.total_steps:
            return 1.0
        return learning_rate_factor(self.fit, self.step_count / self.total_steps)

    def train_step(self, batch: Batch | Tensor, y: Tensor | None = None) -> Metrics:
        """One step: :meth:`learn` of every micro-batch."""
        batch = as_batch(batch, y)
        if not self.training:
            self.train()
        self.optimizers.set_rate(self.rate())
        self.begin(batch)
        metrics: Metrics = {}
        for part in self.parts(batch):
            self.learn(part, metrics)
        self.optimizers.step(HEAD)
        self.step_count += 1
        return metrics

    def parts(self, batch: Batch) -> Iterator[MicroBatch]:
        """The micro-batches of a batch, in order.

        Raises:
            OptionError: there are several, and batch statistics would differ among them.
        """
        size = len(batch.y)
        step = self.execution.rows or size
        if step < size and has_batch_statistics(self):
            raise OptionError(
                f"micro_batch is {step} with batches of {size}, but this run has batch statistics, so micro-batches "
                "would learn something else; expected micro_batch 0"
            )
        for start in range(0, size, step):
            rows = slice(start, min(start + step, size))
            x, y, index = batch.x[rows], batch.y[rows], None if batch.index is None else batch.index[rows]
            yield MicroBatch(x, y, index, batch.epoch, batch.generator, start, len(y) / size, rows.stop == size)

    def walk(self, x: Tensor, read: Callable[[int, Tensor], Learn | None]) -> None:
        """One pass in which no block's graph reaches into another.

        Args:
            x: inputs, ``(B, *input_shape)``.
            read: called as ``read(l, h)`` with the features of block l, in full precision. What it returns is done
                before block l + 1 runs; after the walk, where steps are not streaming.
        """
        if x.dim() == 4 and self.execution.memory_format == "channels_last":
            x = x.contiguous(memory_format=torch.channels_last)
        later: list[Learn] = []

        def visit(l: int, out: Any) -> Any:
            with self.full_precision():
                learn = read(l, full_precision(self.backbone.features(l, out)))
                if learn is not None and self.execution.streaming:
                    learn()
                elif learn is not None:
                    later.append(learn)
            return self._pass_on(l, out)

        with self._autocast():
            self.backbone.walk(x, visit)
        for learn in later:
            learn()

    def _pass_on(self, l: int, out: Any) -> Any:
        """What block l + 1 reads of block l's output."""
        if l == self.backbone.depth - 1:
            return out
        given = self.backbone.downsample(l + 1, pytree.tree_map(torch.detach, out))
        passed = pytree.tree_map(self.norms[l + 1], given)
        # Detached or not, memory is shared: an in-place operation at the start of the next block would change
        # features that were read.
        return pytree.tree_map(torch.clone, passed) if self.backbone.copies_at_cuts else passed

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.execution.precision == "fp32":
            return contextlib.nullcontext()
        device = next(self.backbone.parameters()).device.type
        # Weights may change inside the walk, so a cached cast of them would be a stale one.
        return torch.autocast(device, torch.bfloat16, cache_enabled=False)

    def full_precision(self) -> contextlib.AbstractContextManager[Any]:
        """No autocast inside: what blocks learn from is not the blocks'."""
        if self.execution.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(next(self.backbone.parameters()).device.type, enabled=False)

    def start(self, train: Samples, epochs: int) -> None:
        """Fix the length of the learning-rate schedule, and calibrate the backbone on the training part."""
        self.total_steps = train.steps * epochs
        if type(self.backbone).calibrate is Backbone.calibrate:
            return
        first: list[Tensor] = []
        for batch in train:
            first.append(batch.x)
            if sum(map(len, first)) >= _CALIBRATION_SAMPLES:
                break
        self.backbone.calibrate(torch.cat(first))

    # ---------------------------------------------------------------- inference and state

    @torch.no_grad()
    def features(self, x: Tensor) -> list[Tensor]:
        """See :meth:`ffzoo.Algorithm.features`."""
        found: list[Tensor] = []
        with self.evaluating():
            self.walk(x, lambda l, h: found.append(h))
        return found

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode, and every module's own mode again afterwards."""
        training = [m for m in self.modules() if m.training]
        self.eval()
        try:
            yield
        finally:
            for m in training:
                m.training = True

    def run_as(self, execution: Execution) -> None:
        """See :meth:`ffzoo.Algorithm.run_as`; blocks are compiled one by one."""
        super().run_as(execution)
        if execution.compile:
            allow_compiled_blocks()
            for unit in (unit for l in range(self.backbone.depth) for unit in self.backbone.checkpoint_units(l)):
                unit.compile(dynamic=False)
        if "optimizers" in self.__dict__:  # moments must lie in memory as their weights do now
            self.optimizers.load_state(self.optimizers.state())

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Optimizer tensors and the position in the schedule."""
        return self.optimizers.state(), {"step_count": self.step_count, "total_steps": self.total_steps}

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Restore what :meth:`training_state` returned."""
        self.optimizers.load_state(tensors)
        self.step_count, self.total_steps = int(values["step_count"]), int(values["total_steps"])


def note(metrics: Metrics, key: str, value: Tensor, part: MicroBatch) -> None:
    """Add a part's mean to that of the batch."""
    value = part.share * value.detach()
    metrics[key] = metrics[key] + value if key in metrics else value
