"""What a few seeds can say: paired intervals, slopes, and verdicts on claims. No torch in here.

Two arms that share a seed share initial weights, data and order, so their difference is known better than either.
All intervals are two-sided and of the t distribution: a bootstrap of three values covers far less than it says.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reproduced", "opposite", "inconclusive"]


@dataclass(frozen=True)
class Gap:
    """A mean over seeds of what one arm has more than another, with its interval.

    Attributes:
        mean: first minus second.
        low: lower end of the interval; None for one seed.
        high: upper end.
        seeds: number of pairs.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: int

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on one side of 0; else 0."""
        if self.low is None or self.high is None:
            return 0
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


def interval(values: Sequence[float], confidence: float = 0.95) -> Gap:
    """Mean of independent values, one a seed, with its interval.

    Args:
        values: at least one.
        confidence: probability that an interval holds the true mean.

    Raises:
        ValueError: there is no value, or one that is not finite.
    """
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"values are {list(values)}; expected at least one, all finite")
    mean, n = statistics.fmean(values), len(values)
    if n < 2:
        return Gap(mean, None, None, n)
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, n - 1)) * statistics.stdev(values) / math.sqrt(n)
    return Gap(mean, mean - half, mean + half, n)


def paired_gap(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Gap:
    """Mean of ``first - second``, seed by seed, with its interval.

    Raises:
        ValueError: the two have not as many values.
    """
    return interval([a - b for a, b in zip(first, second, strict=True)], confidence)


def trend(gaps: Mapping[float, Sequence[float]], confidence: float = 0.95) -> Gap:
    """How a gap grows with log x: the least-squares slope of each seed, with the interval over seeds.

    Args:
        gaps: x (more than 0) -> the gap of every seed, in the same order for all x; at least two x.
        confidence: of the interval.

    Returns:
        Slopes in units of the gap for each factor e of x.

    Raises:
        ValueError: fewer than two x, one that is not positive, or seeds that differ in number.
    """
    if len(gaps) < 2 or min(gaps) <= 0:
        raise ValueError(f"a trend over x = {sorted(gaps)} has no slope; expected at least two positive x")
    place = [math.log(x) for x in gaps]
    centre = statistics.fmean(place)
    weights = [p - centre for p in place]
    scale = sum(w * w for w in weights)
    per_seed = zip(*gaps.values(), strict=True)
    return interval([sum(w * g for w, g in zip(weights, seed, strict=True)) / scale for seed in per_seed], confidence)


def holm(gaps: Mapping[str, Sequence[float]], confidence: float = 0.95) -> dict[str, Gap]:
    """Intervals of several effects that all hold together, by Holm's order.

    The effect with the smallest p-value is judged at (1 - confidence) / m, the next at / (m - 1), and so on; from the
    first whose interval holds 0 all later ones are judged at that effect's level.

    Args:
        gaps: name of the effect -> its value in every seed.
        confidence: that none of the effects named different from 0 is 0.
    """
    from scipy.stats import ttest_1samp

    def p_value(values: Sequence[float]) -> float:
        if len(values) < 2:
            return 1.0
        if statistics.stdev(values) == 0:
            return 0.0 if values[0] else 1.0
        return float(ttest_1samp(values, 0.0).pvalue)

    order = sorted(gaps, key=lambda name: p_value(gaps[name]))
    found: dict[str, Gap] = {}
    remaining = len(order)
    for name in order:
        found[name] = interval(gaps[name], 1 - (1 - confidence) / remaining)
        if found[name].sign:
            remaining = max(1, remaining - 1)
    return {name: found[name] for name in gaps}


def judge(gap: Gap, claimed: Literal[1, -1], conclusive: bool = True) -> Verdict:
    """What an interval says of a claim about a sign.

    Args:
        gap: what was measured.
        claimed: the sign that is claimed.
        conclusive: False where the scale of the experiment allows no conclusion.
    """
    if not conclusive or gap.sign == 0:
        return "inconclusive"
    return "reproduced" if gap.sign == claimed else "opposite"
