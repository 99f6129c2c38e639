"""Direct feedback alignment (Nøkland 2016, arXiv:1609.01596).

For block l with detached input, its pre-activation a_l and features h_l = f(a_l)::

    z       = W^T pool(norm(h_L)) + b         output layer on the last block, trained by its own gradient
    e       = softmax(z) - onehot(y)          the error of the output
    delta_l = (B_l e) * f'(a_l)               B_l fixed and random
    dW_l    = -lr * mean over the batch of delta_l x_l^T

Backprop would have the transposed weights of all later blocks in the place of B_l. In a block of several layers
delta at h_l is taken back through the block itself.

No block learns before the output's error is there, so there is nothing to do inside the forward walk: every block's
graph is kept until its end.

Published: 1.45 % test error on MNIST, fully connected, with dropout (the abstract).
"""

from __future__ import annotations

from torch import Tensor

from ffzoo.algorithms.blockwise import MicroBatch
from ffzoo.algorithms.feedback import FeedbackAlgorithm


class DFA(FeedbackAlgorithm):
    """Blocks that learn from the output's error alone; see the module's text.

    The options are :class:`ffzoo.parts.options.OutputLayer`.
    """

    coupling = "feedback"
    waits = True

    def credit(self, part: MicroBatch, p: Tensor | None) -> Tensor:
        """The error e ``(B, K)`` of this step's output."""
        assert p is not None
        return p - self.target(part.y)
