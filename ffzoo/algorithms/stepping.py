"""What all training in steps shares, by a recipe or by a rule of its own: schedule, precision, modes and state."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ffzoo.algorithms.contract import Algorithm, Metrics
from ffzoo.algorithms.optimizers import BlockOptimizers, learning_rate_factor
from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.algorithms.step import Step
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.batchnorm import has_batch_statistics
from ffzoo.data.batch import Batch, Samples
from ffzoo.errors import OptionError
from ffzoo.kernels.winograd import WinogradMode

_CALIBRATION_SAMPLES = 5000
_BLOCKS = 256  # compiled shapes


class SteppingAlgorithm(Algorithm):
    """Base of the algorithms whose blocks have an optimizer each.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: a recipe, or the algorithm's options.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        step_count: steps so far.
        total_steps: the length of the schedule; 0 before :meth:`start`.
    """

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.step_count, self.total_steps = 0, 0

    @cached_property
    def optimizers(self) -> BlockOptimizers:
        """One for each block and one for the heads, made at first use, when a subclass has built all parameters."""
        raise NotImplementedError

    def run_as(self, execution: Execution) -> None:
        """See :meth:`ffzoo.Algorithm.run_as`; what :meth:`compiled_alone` names is compiled, one by one."""
        super().run_as(execution)
        if "optimizers" in self.__dict__:  # moments must lie in memory as their weights do now
            self.optimizers.load_state(self.optimizers.state())
        if execution.compile:
            _allow_compiled_blocks()
            for module in self.compiled_alone():
                module.compile(dynamic=False)

    def compiled_alone(self) -> Iterable[nn.Module]:
        """Return the modules that ``compile`` turns into compiled ones: the blocks, or their parts."""
        return (unit for l in range(self.backbone.depth) for unit in self.backbone.checkpoint_units(l))

    def start(self, train: Samples, epochs: int) -> None:
        """Begin a learning-rate schedule of a fixed length, and calibrate the backbone on the training set."""
        self.step_count, self.total_steps = 0, train.steps * epochs
        if type(self.backbone).calibrate is Backbone.calibrate:
            return
        first: list[Tensor] = []
        for batch in train:
            first.append(batch.x)
            if sum(map(len, first)) >= _CALIBRATION_SAMPLES:
                break
        self.backbone.calibrate(torch.cat(first))

    def extend(self, steps: int) -> None:
        """Stretch the learning-rate schedule to so many steps: the rate rises to where it then would be."""
        self.total_steps = steps

    def rate(self) -> float:
        """Return the factor of the learning rate in the step at hand.

        A step outside the schedule, such as an audit's after the last epoch, runs at the full rate: at a rate of zero
        nothing would leak.
        """
        inside = self.step_count < self.total_steps
        return learning_rate_factor(self.fit_options, self.step_count / self.total_steps) if inside else 1.0

    def whole_batch_for(self) -> str | None:
        """Return what would differ in chunks; None if they learn the same."""
        return "batch statistics" if has_batch_statistics(self) else None

    def rows(self, size: int) -> list[slice]:
        """Return the rows of each chunk of a batch of ``size`` samples, in order.

        Raises:
            OptionError: there are several, and they would learn something else than the batch.
        """
        micro = self.execution.rows or size
        cause = self.whole_batch_for() if micro < size else None
        if cause is not None:
            raise OptionError(
                f"micro_batch is {micro} with batches of {size}, but this run has {cause}, so micro-batches would "
                "learn something else; expected micro_batch 0"
            )
        return [slice(start, min(start + micro, size)) for start in range(0, size, micro)]

    def chunks(self, batch: Batch, metrics: Metrics, update: Callable[[int], None] | None) -> Iterator[Step]:
        """Yield a step for each chunk of a batch, in order.

        Args:
            batch: the whole batch.
            metrics: gets the scalars of the whole batch.
            update: updates a block as soon as it has learned; None where the blocks wait.

        Raises:
            OptionError: there are several chunks, and they would learn something else than the batch.
        """
        size = len(batch.y)
        for rows in self.rows(size):
            share, last = (rows.stop - rows.start) / size, rows.stop == size
            yield Step(batch.epoch, batch.generator, rows, share, last, metrics, update)

    def laid_out(self, x: Tensor) -> Tensor:
        """Return inputs laid out in memory as the backbone's weights are."""
        if x.dim() == 4 and self.execution.memory_format == "channels_last":
            return x.contiguous(memory_format=torch.channels_last)
        return x

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context with the precision that blocks run in, and the way they convolve."""
        if self.execution.convolution == "winograd":
            return WinogradMode()
        if self.execution.precision == "fp32":
            return contextlib.nullcontext()
        device = next(self.backbone.parameters()).device.type
        # Weights change inside a walk, so a cached cast of them would be a stale one.
        return torch.autocast(device, torch.bfloat16, cache_enabled=False)

    def full_precision(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context without autocast, for what blocks learn from."""
        if self.execution.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(next(self.backbone.parameters()).device.type, enabled=False)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Enter evaluation mode, and restore every module's own mode afterwards."""
        training = [m for m in self.modules() if m.training]
        self.eval()
        try:
            yield
        finally:
            for m in training:
                m.training = True

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return optimizer tensors and the position in the schedule."""
        return self.optimizers.state(), {"step_count": self.step_count, "total_steps": self.total_steps}

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Restore what :meth:`training_state` returned."""
        self.optimizers.load_state(tensors)
        self.step_count, self.total_steps = int(values["step_count"]), int(values["total_steps"])


def _allow_compiled_blocks() -> None:
    """Let dynamo compile more than eight shapes of one function: a deep network has more."""
    config = torch._dynamo.config
    for limit in ("recompile_limit", "cache_size_limit"):  # its name in newer and in older versions
        if hasattr(config, limit):
            setattr(config, limit, max(_BLOCKS, getattr(config, limit)))
