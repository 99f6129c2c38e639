"""PEPITA (Dellaferrera and Kreiman 2022, "Error-driven Input Modulation", arXiv:2201.11665).

Two forward passes, the second with the output's error on the input; x_1 = x, x'_1 = x'::

    e    = softmax(z) - onehot(y)             of the first pass
    x'   = x + F e                            F fixed and random
    dW_l = -lr * mean over the batch of ((h_l - h'_l) * f'(a'_l)) x'_l^T
    dW   = -lr * mean over the batch of (softmax(z') - onehot(y)) u'^T         output layer, u' what it reads

h_l are the features of block l in the first pass, h'_l in the second, x'_l what block l reads in the second. No
backward pass: in the second one a block learns as soon as it has been computed. The first pass's features of all
blocks are kept for that.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ffzoo.algorithms.blockwise import Learn, MicroBatch
from ffzoo.algorithms.contract import Metrics
from ffzoo.algorithms.feedback import OutputAlgorithm, feedback_matrix
from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.batchnorm import buffers_untouched
from ffzoo.errors import OptionError
from ffzoo.kernels.kept import keep


class PEPITA(OutputAlgorithm):
    """Blocks that learn how their features change under the error; see the module's text.

    The options are :class:`ffzoo_pepita.options.PEPITA`.

    Attributes:
        modulation: F, transposed ``(K, number of inputs)``.
    """

    coupling = "feedback"
    views = ("positive", "error-modulated")
    modulation: Tensor

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
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
        """Both passes."""
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
