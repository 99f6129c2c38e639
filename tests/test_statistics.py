"""Intervals hold a known truth as often as they say; trends, families of effects, verdicts."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffzoo.measure.statistics import Gap, factorial_effects, holm, interval, judge, paired_gap, trend

TRIALS = 2000
ERROR = 4 * math.sqrt(0.95 * 0.05 / TRIALS)  # four standard errors of a coverage of 95 %


@pytest.mark.parametrize("seeds", [3, 5, 20])
def test_paired_intervals_cover_the_truth_at_their_nominal_rate(seeds):
    """Arms share a large effect of the seed, which the pairing removes."""
    random = np.random.default_rng(seeds)
    shared = random.normal(0, 5, (TRIALS, seeds))
    first, second = (shared + random.normal(mean, 0.5, (TRIALS, seeds)) for mean in (0.92, 0.9))
    hits = [g.low <= 0.02 <= g.high for g in map(paired_gap, first.tolist(), second.tolist())]
    assert abs(np.mean(hits) - 0.95) < ERROR


@pytest.mark.parametrize("seeds", [3, 5, 20])
def test_slopes_cover_the_truth_at_their_nominal_rate(seeds):
    random = np.random.default_rng(seeds)
    x = np.array([2, 10, 50, 200])
    hits = []
    for _ in range(TRIALS):
        gaps = 0.01 * np.log(x)[:, None] + random.normal(0, 0.02, seeds) + random.normal(0, 0.01, (4, seeds))
        found = trend(dict(zip(x.tolist(), gaps.tolist(), strict=True)))
        hits.append(found.low <= 0.01 <= found.high)
    assert abs(np.mean(hits) - 0.95) < ERROR


def test_a_claim_that_is_not_true_is_seldom_judged():
    random = np.random.default_rng(0)
    verdicts = [judge(interval(random.normal(0, 1, 3).tolist()), 1) for _ in range(TRIALS)]
    for verdict in ("reproduced", "opposite"):
        assert abs(verdicts.count(verdict) / TRIALS - 0.025) < 4 * math.sqrt(0.025 * 0.975 / TRIALS)


def test_holm_s_intervals_seldom_name_an_effect_that_is_not_there():
    """Of eight effects two are real: any of the six others is called real in at most 5 % of experiments."""
    random = np.random.default_rng(0)
    wrong, found = 0, 0
    for _ in range(500):
        effects = {str(n): random.normal(3.0 if n < 2 else 0.0, 1, 5).tolist() for n in range(8)}
        named = {name for name, gap in holm(effects).items() if gap.sign}
        wrong += bool(named - {"0", "1"})
        found += len(named & {"0", "1"})
    assert wrong / 500 < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 500)
    assert found > 300


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(-1, 1))
def test_an_interval_moves_with_its_values(values, shift):
    one, two = interval(values), interval([v + shift for v in values])
    assert one.low <= one.mean + 1e-12 and one.mean <= one.high + 1e-12
    for a, b in ((one.low, two.low), (one.mean, two.mean), (one.high, two.high)):
        assert b == pytest.approx(a + shift, abs=1e-9)


def test_a_known_interval_and_a_known_slope():
    gap = paired_gap([0.90, 0.92, 0.91], [0.88, 0.91, 0.90])
    half = 4.302652729911275 * 0.005773502691896258 / math.sqrt(3)
    assert (gap.mean, gap.low, gap.high) == pytest.approx((0.04 / 3, 0.04 / 3 - half, 0.04 / 3 + half))
    slope = trend({1.0: [0.0, 0.1], math.e: [0.5, 0.7], math.e**2: [1.0, 1.3]})
    assert slope.mean == pytest.approx(0.55)


def test_one_seed_has_no_interval_and_no_verdict():
    assert interval([0.3]) == Gap(0.3, None, None, 1)
    assert judge(interval([0.3]), 1) == "inconclusive"


def test_verdicts():
    assert judge(Gap(0.2, 0.1, 0.3, 3), 1) == "reproduced"
    assert judge(Gap(0.2, 0.1, 0.3, 3), -1) == "opposite"
    assert judge(Gap(0.2, -0.1, 0.5, 3), 1) == "inconclusive"
    assert judge(Gap(0.2, 0.1, 0.3, 3), 1, conclusive=False) == "inconclusive"


def test_nothing_to_judge_is_an_error():
    for values in ([], [0.1, math.nan]):
        with pytest.raises(ValueError, match="at least one"):
            interval(values)
    with pytest.raises(ValueError, match="no slope"):
        trend({3.0: [0.1]})


# ------------------------------------------------------------------ factorial designs


HALF = [levels for levels in itertools.product((-1, 1), repeat=4) if math.prod(levels) == 1]


def test_effects_of_a_factorial_are_found_exactly_where_there_is_no_noise():
    """y = 50 + 3 A - 2 B + AB: an effect is twice its coefficient, and a shift of a seed moves nothing."""
    cells = {l: [50 + 3 * l[0] - 2 * l[1] + l[0] * l[1] + shift for shift in (0.0, 7.0)] for l in HALF}
    found = factorial_effects(cells, {"A": (0,), "B": (1,), "C": (2,), "AxB": (0, 1), "AxC": (0, 2)})
    assert {name: round(gap.mean, 9) for name, gap in found.items()} == {"A": 6, "B": -4, "C": 0, "AxB": 2, "AxC": 0}
    assert {name for name, gap in found.items() if gap.sign} == {"A", "B", "AxB"}


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_of_one_effect_cover_the_truth_at_their_nominal_rate(seeds):
    random = np.random.default_rng(seeds)
    hits = []
    for _ in range(TRIALS):
        shift = random.normal(0, 3, seeds)
        cells = {l: (0.4 * l[0] + shift + random.normal(0, 1, seeds)).tolist() for l in HALF}
        gap = factorial_effects(cells, {"A": (0,)})["A"]
        hits.append(gap.low <= 0.8 <= gap.high)
    assert abs(np.mean(hits) - 0.95) < ERROR


def test_a_family_of_effects_that_are_not_there_is_seldom_seen():
    random = np.random.default_rng(0)
    contrasts = {str(factors): factors for n in (1, 2) for factors in itertools.combinations(range(4), n)}
    del contrasts["(1, 2)"], contrasts["(1, 3)"], contrasts["(2, 3)"]  # in a half fraction the same as (0, 3), ...
    wrong = 0
    for _ in range(500):
        cells = {l: random.normal(0, 1, 3).tolist() for l in HALF}
        wrong += any(gap.sign for gap in factorial_effects(cells, contrasts).values())
    assert wrong / 500 < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 500)


@pytest.mark.parametrize(
    ("cells", "contrasts", "words"),
    [
        ({(1,): [1.0], (-1,): [2.0]}, {"A": (0,)}, "at least two"),
        ({(1,): [1.0, 2.0], (-1,): [2.0]}, {"A": (0,)}, "the same for all"),
        ({(1, 1): [1.0, 2.0], (1, -1): [2.0, 3.0]}, {"A": (0,)}, "one level only"),
    ],
)
def test_what_is_no_factorial_is_refused(cells, contrasts, words):
    with pytest.raises(ValueError, match=words):
        factorial_effects(cells, contrasts)
