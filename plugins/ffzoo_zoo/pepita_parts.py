"""The torch code of :mod:`ffzoo_zoo.pepita`."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ffzoo.plugin import (
    Backbone,
    Execution,
    FitOptions,
    Learn,
    Metrics,
    MicroBatch,
    OptionError,
    OutputAlgorithm,
    buffers_untouched,
    feedback_matrix,
    keep,
)
from ffzoo_zoo import pepita


class PEPITA(OutputAlgorithm):
    """Blocks that learn how their features change under the error.

    Attributes:
        modulation: F, transposed ``(K, number of inputs)``.
    """

    coupling = "feedback"
    views = ("positive", "error-modulated")
    modulation: Tensor

    def __init__(self, backbone: Backbone, num_classes: int, config: pepita.PEPITA, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.register_buffer("modulation", config.scale * feedback_matrix(num_classes, backbone.input_shape))

    def run_as(self, execution: Execution) -> None:
        """See :meth:`ffzoo.Algorithm.run_as`.

        Raises:
            OptionError: half precision: the difference of two nearly equal passes is what it rounds away.
        """
        if execution.precision != "fp32":
            raise OptionError(
                f"pepita learns from the small difference of two passes, which precision={execution.precision} rounds "
                "away; expected precision=fp32"
            )
        super().run_as(execution)

    def learn(self, part: MicroBatch, metrics: Metrics) -> None:
        """Run both passes; in the second a block learns as soon as it has been computed."""
        clean: list[Tensor] = []
        devices = [part.x.device] if part.x.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):  # the second pass draws the same dropout
            self.walk(part.x, lambda l, h: clean.append(h))
            error = self.logits(clean[-1]).softmax(1) - self.target(part.y)
        kept = [keep(h) for h in clean]
        modulated = part.x + (error @ self.modulation).view(part.x.shape)
        last: list[Tensor] = []

        def read(l: int, h: Tensor) -> Learn:
            if l == self.backbone.depth - 1:
                last.append(h.detach())
            return partial(self._teach, part, l, h, clean[l])

        with buffers_untouched(self):  # running statistics are those of inputs as they are
            self.walk(modulated, read)
        del kept
        self.learn_output(last[0], part, metrics)

    def _teach(self, part: MicroBatch, l: int, h: Tensor, clean: Tensor) -> None:
        if h.requires_grad:
            h.backward((clean - h.detach()) * (part.share / len(h)))
        if part.last:
            self.optimizers.step(l)
