"""The torch code of :mod:`ffzoo_zoo.pepita`."""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.plugin import (
    Backbone,
    Batch,
    BlockwiseAlgorithm,
    Execution,
    FitOptions,
    OptionError,
    OutputLayer,
    Step,
    buffers_untouched,
    feedback_matrix,
    keep,
)
from ffzoo_zoo import pepita


class PEPITA(BlockwiseAlgorithm):
    """Blocks that learn how their features change under the error.

    Attributes:
        output: W and b.
        modulation: F, transposed ``(K, number of inputs)``.
    """

    has_losses = False
    coupling = "feedback"
    views = ("positive", "error-modulated")
    modulation: Tensor

    def __init__(self, backbone: Backbone, num_classes: int, config: pepita.PEPITA, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.output = OutputLayer(backbone.feature_shapes, num_classes, config.grid, fit.label_smoothing)
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

    def learn(self, chunk: Batch, step: Step) -> None:
        """Make both passes; the second one teaches each block by the difference to the first."""
        devices = [chunk.x.device] if chunk.x.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):  # the second pass draws the same dropout
            clean = self.block_features(chunk.x)
            error = self.output(self.norms[-1](clean[-1])).softmax(1) - self.output.target(chunk.y)
        kept = [keep(h) for h in clean]
        last = chunk.x

        def read(l: int, h: Tensor) -> None:
            nonlocal last
            last = h.detach()
            step.teach(l, h, clean[l] - last)

        with buffers_untouched(self):  # running statistics are those of inputs as they are
            self.read_blocks(chunk.x + (error @ self.modulation).view(chunk.x.shape), read)
        del kept
        self.output.learn(self.norms[-1](last), chunk.y, step)
