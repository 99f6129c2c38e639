"""Schedules: which blocks train when."""

from __future__ import annotations

from ffzoo.parts import options
from ffzoo.parts.base import Schedule


class Simultaneous(Schedule):
    """Every block trains at every step."""


class Greedy(Schedule):
    """One block after the other, each for an equal share of the training; earlier ones stay as they are."""

    def window(self, block: int) -> tuple[float, float]:
        """Return ``(l / L, (l + 1) / L)``."""
        return block / self.depth, (block + 1) / self.depth


class Windows(Schedule):
    """All blocks begin together and end one after the other, the last block at the end of the training.

    CwComp (arXiv:2312.12668) trains so and calls it interleaved layer training.
    """

    def __init__(self, config: options.Windows, depth: int) -> None:
        super().__init__(config, depth)
        self.first = config.first

    def window(self, block: int) -> tuple[float, float]:
        """Return ``(0, first + (1 - first) l / (L - 1))``."""
        return 0.0, self.first + (1 - self.first) * block / (self.depth - 1) if self.depth > 1 else 1.0
