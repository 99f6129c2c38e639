"""What an experiment asks and claims, and the sentence that an interval makes of a claim.

The words of a verdict follow from the interval alone. What is claimed stands behind them, and changes none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ffzoo.bench.report import Verdict
from ffzoo.measure.statistics import Gap, judge


def accuracy_of(cell: dict[str, Any]) -> float:
    """Return what is compared where nothing else is said."""
    return float(cell["test_accuracy"])


@dataclass(frozen=True)
class Claim:
    """A sign that somebody claims, of a gap or of its trend.

    Attributes:
        first: an arm.
        second: the arm that is subtracted from it.
        sign: claimed, of the gap or of its slope.
        over: ``"mean"`` of the gap over the conditions of a series, its ``"trend"`` against log x, or its ``"change"``
            from one condition to another.
        series: of conditions; or the names of conditions, for a change two.
        made: the paper makes it; else it is a hypothesis, and the verdict descriptive.
        value: what is compared of a cell, a fraction.
        quantity: what ``value`` is, where that is not the accuracy.
        published: the gap that the paper reports, first minus second, in points.
    """

    first: str
    second: str
    sign: Literal[1, -1]
    over: Literal["mean", "trend", "change"]
    series: str | tuple[str, ...] = ""
    made: bool = True
    value: Callable[[dict[str, Any]], float] = accuracy_of
    quantity: str = ""
    published: float | None = None

    def __str__(self) -> str:
        """Return the claim itself: ``claimed: behind``."""
        return f"{'claimed' if self.made else 'hypothesis'}: {_SHORT[self.over][self.sign]}"


@dataclass(frozen=True)
class Words:
    """What a report says around its figures."""

    question: str
    claim: str
    limits: str
    axis: str


_SHORT = {
    "mean": {1: "ahead", -1: "behind"},
    "trend": {1: "gains ground", -1: "loses ground"},
    "change": {1: "gains ground", -1: "loses ground"},
}
_SEEN = {
    "mean": {1: "is ahead of", -1: "is behind"},
    "trend": {1: "gains ground on", -1: "loses ground to"},
    "change": {1: "gains ground on", -1: "loses ground to"},
}
_UNSEEN = {
    "mean": "no difference is seen between {} and {}",
    "trend": "no trend is seen of {} against {}",
    "change": "no change is seen of {} against {}",
}
_NEUTRAL = {"mean": "{} minus {}", "trend": "trend of {} minus {}", "change": "change of {} minus {}"}


def verdict(
    claim: Claim,
    gap: Gap | None,
    conditions: Sequence[str],
    axis: str = "",
    conclusive: bool = True,
    training: str = "",
) -> str:
    """Return the line that an interval makes of a claim; a :class:`~ffzoo.bench.report.Verdict` where one is made.

    Args:
        claim: what is judged.
        gap: what was measured, in points; None where no seed has all its cells.
        conditions: names of those that it was measured on.
        axis: what a trend is over.
        conclusive: False where the scale of the experiment allows no conclusion; then no side is named either.
        training: network and epochs, for the regime of a verdict.
    """
    line = _line(claim, gap, conditions, axis, conclusive)
    if not claim.made:
        return line
    claimed = f"{claim.first} {_SEEN[claim.over][claim.sign]} {claim.second}"
    claimed += f" over {axis}" if claim.over == "trend" else ""
    regime = claim.series if isinstance(claim.series, str) and claim.series else ", ".join(conditions)
    estimate = "not measured" if gap is None else f"{gap} points{' per e-fold' * (claim.over == 'trend')}"
    if claim.published is not None and (where := _where(claim.published, gap)):
        estimate += f"; the published {claim.published:+.2f} is {where} the interval"
    return Verdict(line, line.partition(":")[0], claimed, "; ".join(filter(None, (regime, training))), estimate)


def _line(claim: Claim, gap: Gap | None, conditions: Sequence[str], axis: str, conclusive: bool) -> str:
    place = _place(claim, conditions)
    names = (_quoted(claim.first), _quoted(claim.second))
    if gap is None:
        word = "inconclusive" if claim.made or not conclusive else "descriptive"
        return f"{word}: {place}no seed has all cells of {' and '.join(names)}; {claim}"
    unit = f"points per e-fold increase in {axis}" if claim.over == "trend" else "points"
    unit += f" in {claim.quantity}" if claim.quantity else ""
    if not conclusive or gap.low is None:
        found = f"{_NEUTRAL[claim.over].format(*names)}: {gap} {unit}"
    elif gap.sign:
        found = f"{names[0]} {_SEEN[claim.over][gap.sign]} {names[1]} by {gap.size} {unit}"
    else:
        found = f"{_UNSEEN[claim.over].format(*names)}: {gap} {unit}"
    word = judge(gap, claim.sign, conclusive) if claim.made or not conclusive else "descriptive"
    line = f"{word}: {place}{found}, {gap.seeds} seed{'s' * (gap.seeds != 1)}; {claim}"
    if claim.published is not None and (where := _where(claim.published, gap)):
        side = _SHORT[claim.over][1 if claim.published > 0 else -1]
        line += f"; published: {side} by {abs(claim.published):.2f}, {where} the interval"
    return line


def _where(published: float, gap: Gap | None) -> str:
    """Return whether a figure is inside or outside the interval; empty where there is none."""
    if gap is None or gap.low is None or gap.high is None:
        return ""
    return "inside" if gap.low <= published <= gap.high else "outside"


def _place(claim: Claim, conditions: Sequence[str]) -> str:
    if claim.over == "change":
        return "from {} to {} ".format(*conditions)
    if claim.over == "trend":
        return f"{claim.series}: " if claim.series else ""
    return f"on {'the mean of ' if len(conditions) > 1 else ''}{' and '.join(conditions)} "


def _quoted(name: str) -> str:
    """Return an arm's name, in quotes where it could be taken for a part of the sentence."""
    return name if re.fullmatch(r"[\w.-]+", name) else repr(name)
