"""Direct random target projection (Frenkel, Lefebvre and Bol 2019, arXiv:1909.01311).

For block l with detached input and features h_l::

    u_l     = tanh(h_l)                       what the next block reads, before the forward norm
    t       = onehot(y)
    delta_l = (B_l t) * (1 - u_l^2)           at h_l; B_l fixed and random
    dW_l    = -lr * mean over the batch of (dh_l / dW_l)^T delta_l
    z       = W^T pool(norm(u_L)) + b         output layer on the last block, trained by its own gradient

The target stands for the sign of the output's error, which it always has. A sample of class k pushes a unit the same
way for ever, down where B is positive and up where it is negative, until the tanh saturates: the unit comes to tell two
random sets of classes apart. Nothing comes back from the output, so a block learns as soon as it has been computed.

Without the tanh a ReLU network had 63 to 69 % on the validation part of the digits, with it 96 to 97 %.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.algorithms.blockwise import MicroBatch
from ffzoo.algorithms.feedback import FeedbackAlgorithm
from ffzoo.algorithms.options import FitOptions
from ffzoo.backbones.base import Backbone


class DRTP(FeedbackAlgorithm):
    """Blocks that learn from the label alone; see the module's text.

    The options are :class:`ffzoo_drtp.options.DRTP`.
    """

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        if config.squash:
            self.norms = nn.ModuleList([nn.Identity(), *(nn.Sequential(nn.Tanh(), norm) for norm in self.norms[1:])])

    def credit(self, part: MicroBatch, p: Tensor | None) -> Tensor:
        """The target t ``(B, K)``."""
        return F.one_hot(part.y, self.num_classes).to(self.output.weight.dtype)

    def delta(self, l: int, h: Tensor, credit: Tensor) -> Tensor:
        """delta_l, shaped like h."""
        pushed = super().delta(l, h, credit)
        return pushed * (1 - h.tanh().square()) if self.config.squash else pushed
