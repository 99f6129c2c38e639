"""What a few seeds can say: paired intervals, slopes, and verdicts on claims. No torch in here.

Two arms that share a seed share initial weights, data and order, so their difference is known better than either.
All intervals are two-sided and of the t distribution: a bootstrap of three values covers far less than it says.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Judgement = Literal["reproduced", "opposite", "inconclusive"]


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

    @property
    def size(self) -> str:
        """How large it is, without its sign, which words beside it say: ``11.52 [9.93, 13.11]``."""
        if self.low is None or self.high is None:
            return f"{abs(self.mean):.2f}"
        low, high = sorted((abs(self.low), abs(self.high)))
        return f"{abs(self.mean):.2f} [{low:.2f}, {high:.2f}]"

    def __str__(self) -> str:
        ends = "" if self.low is None or self.high is None else f" [{self.low:+.2f}, {self.high:+.2f}]"
        return f"{self.mean:+.2f}{ends}"


def interval(values: Sequence[float], confidence: float = 0.95) -> Gap:
    """Return the mean of independent values, one per seed, with its interval.

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
    from scipy.stats import ttest_1samp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # values that are all the same have an interval of no width
        low, high = ttest_1samp(values, 0.0).confidence_interval(confidence)
    return Gap(mean, float(low), float(high), n)


def paired_gap(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Gap:
    """Return the mean of ``first - second``, seed by seed, with its interval.

    Raises:
        ValueError: the two have not as many values.
    """
    return interval([a - b for a, b in zip(first, second, strict=True)], confidence)


def trend(gaps: Mapping[float, Sequence[float]], confidence: float = 0.95) -> Gap:
    """Return how a gap grows with log x: the least-squares slope of each seed, with the interval over seeds.

    Args:
        gaps: x (more than 0) -> the gap of every seed, in the same order for all x; at least two x.
        confidence: of the interval.

    Returns:
        Slopes in units of the gap per e-fold increase of x.

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

    return _stepwise({name: p_value(gaps[name]) for name in gaps}, lambda name, c: interval(gaps[name], c), confidence)


def _stepwise(
    p_values: Mapping[str, float], interval_at: Callable[[str, float], Gap], confidence: float
) -> dict[str, Gap]:
    """Holm's order over intervals."""
    found: dict[str, Gap] = {}
    remaining = len(p_values)
    for name in sorted(p_values, key=lambda name: p_values[name]):
        found[name] = interval_at(name, 1 - (1 - confidence) / remaining)
        if found[name].sign:
            remaining = max(1, remaining - 1)
    return {name: found[name] for name in p_values}


def factorial_effects(
    cells: Mapping[tuple[int, ...], Sequence[float]], contrasts: Mapping[str, Sequence[int]], confidence: float = 0.95
) -> dict[str, Gap]:
    """Effects of a two-level factorial design, with intervals that all hold together (Holm).

    An effect is the mean of the cells at +1 less the mean of those at -1. Its error is that of the seeds: what is left
    of every value without its cell's mean and its seed's, pooled over all cells. So the intervals say how an effect
    would repeat with other seeds on the same data, and not on other data.

    Args:
        cells: levels, -1 or 1 per factor -> a value per seed, in the same order everywhere; at least two seeds.
        contrasts: name -> the factors whose levels are multiplied: one for a main effect, two for an interaction.
        confidence: that none of the effects named different from 0 is 0.

    Raises:
        ValueError: fewer than two seeds or cells, seeds that differ in number, or a contrast with one level only.
    """
    from scipy.stats import t

    seeds = {len(values) for values in cells.values()}
    if len(seeds) != 1 or min(seeds) < 2 or len(cells) < 2:
        raise ValueError(f"{len(cells)} cells with {sorted(seeds)} seeds; expected at least two, the same for all")
    n = seeds.pop()
    means = {levels: statistics.fmean(values) for levels, values in cells.items()}
    grand = statistics.fmean(means.values())
    of_seed = [statistics.fmean(values[s] for values in cells.values()) - grand for s in range(n)]
    left = [v - means[levels] - of_seed[s] for levels, values in cells.items() for s, v in enumerate(values)]
    freedom = (len(cells) - 1) * (n - 1)
    variance = math.fsum(r * r for r in left) / freedom
    estimates, errors = {}, {}
    for name, factors in contrasts.items():
        signs = {levels: math.prod(levels[factor] for factor in factors) for levels in cells}
        high, low = ([means[levels] for levels, sign in signs.items() if sign == side] for side in (1, -1))
        if not high or not low:
            raise ValueError(f"contrast {name!r} has one level only in these cells")
        estimates[name] = statistics.fmean(high) - statistics.fmean(low)
        errors[name] = math.sqrt(variance / n * (1 / len(high) + 1 / len(low)))

    def p_value(name: str) -> float:
        if not errors[name]:
            return 0.0 if estimates[name] else 1.0
        return 2 * float(t.sf(abs(estimates[name]) / errors[name], freedom))

    def interval_at(name: str, level: float) -> Gap:
        half = float(t.ppf((1 + level) / 2, freedom)) * errors[name]
        return Gap(estimates[name], estimates[name] - half, estimates[name] + half, n)

    return _stepwise({name: p_value(name) for name in contrasts}, interval_at, confidence)


def judge(gap: Gap, claimed: Literal[1, -1], conclusive: bool = True) -> Judgement:
    """Return what an interval says of a claim about a sign.

    Args:
        gap: what was measured.
        claimed: the sign that is claimed.
        conclusive: False where the scale of the experiment allows no conclusion.
    """
    if not conclusive or gap.sign == 0:
        return "inconclusive"
    return "reproduced" if gap.sign == claimed else "opposite"
