"""The torch code of :mod:`ffzoo_zoo.dfa`."""

from __future__ import annotations

from torch import Tensor

from ffzoo.plugin import FeedbackAlgorithm, MicroBatch


class DFA(FeedbackAlgorithm):
    """Blocks that learn from the output's error alone."""

    coupling = "feedback"
    waits = True

    def credit(self, part: MicroBatch, p: Tensor | None) -> Tensor:
        """Return the error e ``(B, K)`` of this step's output."""
        assert p is not None
        return p - self.target(part.y)
