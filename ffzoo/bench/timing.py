"""Paired timing: every arm once a round, and medians of the ratios within rounds.

A machine's speed drifts by more than many an effect: other processes, heat, memory that is fragmented.
Arms that are timed side by side share the drift, so the ratio of two arms in one round is known better than
either time. Compare nothing else than medians of such ratios.
"""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from ffzoo.measure.clock import seconds


@dataclass(frozen=True)
class Ratio:
    """Median of paired ratios.

    Attributes:
        median: of the ratios.
        low: lower end of an interval that has the median with at least 95 % confidence; None for fewer than six
            ratios, for which there is none.
        high: upper end.
    """

    median: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        interval = "" if self.low is None or self.high is None else f" [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.median:.2f}{interval}"

    @property
    def side(self) -> int:
        """1 or -1 where the interval lies above or below 1; else 0."""
        if self.low is None or self.high is None:
            return 0
        return 1 if self.low > 1 else -1 if self.high < 1 else 0


def interleaved(
    arms: Mapping[str, Callable[[], object]], rounds: int, warmup: int, device: torch.device
) -> dict[str, list[float]]:
    """Return seconds of one call of every arm in every round.

    Args:
        arms: what to time, by name.
        rounds: how often.
        warmup: rounds before that, which do not count.
        device: where the arms compute.

    Returns:
        As many times an arm as there are rounds; the same position is the same round.
    """
    times: dict[str, list[float]] = {name: [] for name in arms}
    order, shuffle = list(arms), random.Random(0).shuffle
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number in range(warmup + rounds):
            shuffle(order)  # what ran before an arm is not the same every time
            for name in order:
                took = seconds(arms[name], device)
                if number >= warmup:
                    times[name].append(took)
            gc.collect(0)  # what the round left: a full collection can take longer than a step
    finally:
        if collecting:
            gc.enable()
    return times


def ratio(times_a: Sequence[float], times_b: Sequence[float]) -> Ratio:
    """Return how many times as long a takes as b: the median of the ratios round by round, with its 95 % interval.

    The interval lies between two order statistics. It holds for any distribution: the number of ratios below the
    true median is binomial.
    """
    from scipy.stats import binom

    found = sorted(a / b for a, b in zip(times_a, times_b, strict=True))
    # Ranks k and n + 1 - k miss the median with the probability 2 P(fewer than k of n fall below it).
    k = int(binom.ppf(0.025, len(found), 0.5))
    low, high = (found[k - 1], found[-k]) if k else (None, None)
    return Ratio(statistics.median(found), low, high)
