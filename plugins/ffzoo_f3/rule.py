"""Feed-forward with delayed feedback (Flügel et al. 2023, arXiv:2304.13372).

For block l with detached input and features h_l, and sample i in epoch s::

    e_i     = p_i^(s-1) - onehot(y_i)         its output error when it was seen last; p^(0) = 0
    delta_l = B_l e_i                         at h_l; B_l fixed and random
    dW_l    = -lr * mean over the batch of (dh_l / dW_l)^T delta_l
    z       = W^T pool(norm(h_L)) + b         output layer on the last block, trained by its own gradient
    p_i^(s) = softmax(z)                      kept for the next epoch

The error is known before the sample is forwarded, so a block learns as soon as it has been computed. The price is a
memory of N x K numbers, N the number of training samples. In the first epoch the credit is the label, as in DRTP.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ffzoo.algorithms.blockwise import MicroBatch
from ffzoo.algorithms.feedback import FeedbackAlgorithm
from ffzoo.algorithms.options import FitOptions
from ffzoo.backbones.base import Backbone
from ffzoo.data.batch import Batch, Samples
from ffzoo.errors import OptionError


class F3(FeedbackAlgorithm):
    """Blocks that learn from the error of the epoch before; see the module's text.

    The options are :class:`ffzoo.parts.options.OutputLayer`.

    Attributes:
        memory: p of every training sample when it was seen last ``(N, K)``; part of the training state.
    """

    coupling = "feedback"
    memory: Tensor

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.register_buffer("memory", torch.zeros(0, num_classes), persistent=False)  # prediction needs it not

    def start(self, train: Samples, epochs: int) -> None:
        """Make room for every training sample."""
        super().start(train, epochs)
        self.memory = self.memory.new_zeros(len(train), self.num_classes)

    def begin(self, batch: Batch) -> None:
        """Make room for the batch, where training did not begin with :meth:`start`.

        Raises:
            OptionError: the batch does not say which samples it holds.
        """
        if batch.index is None:
            raise OptionError("f3 keeps an error a sample, but the batch has no index; expected Batch(x, y, index)")
        if not self.total_steps:
            missing = max(0, int(batch.index.max()) + 1 - len(self.memory))
            self.memory = torch.cat([self.memory, self.memory.new_zeros(missing, self.num_classes)])

    def credit(self, part: MicroBatch, p: Tensor | None) -> Tensor:
        """The error e ``(B, K)`` of the epoch before."""
        return self.memory[part.index] - self.target(part.y)

    def remember(self, part: MicroBatch, p: Tensor) -> None:
        """Keep p for the next epoch."""
        self.memory[part.index] = p

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """With the memory."""
        tensors, values = super().training_state()
        return tensors | {"memory": self.memory}, values

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """With the memory."""
        super().load_training_state(tensors, values)
        self.memory = tensors["memory"].to(self.memory, copy=True)
