"""What an experiment asks and claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


def accuracy_of(cell: dict[str, Any]) -> float:
    """What is compared where nothing else is said."""
    return float(cell["test_accuracy"])


@dataclass(frozen=True)
class Claim:
    """A sign that somebody claims, of a gap or of its trend.

    Attributes:
        text: what is claimed, for the verdict's line.
        first: an arm.
        second: the arm that is subtracted from it.
        sign: claimed, of the gap or of its slope.
        over: ``"mean"`` of the gap over the conditions of a series, its ``"trend"`` against log x, or its ``"change"``
            from one condition to another.
        series: of conditions; or the names of conditions, for a change two.
        made: the paper makes it; else the verdict is descriptive.
        value: what is compared of a cell, a fraction.
    """

    text: str
    first: str
    second: str
    sign: Literal[1, -1]
    over: Literal["mean", "trend", "change"]
    series: str | tuple[str, ...] = ""
    made: bool = True
    value: Callable[[dict[str, Any]], float] = accuracy_of


@dataclass(frozen=True)
class Words:
    """What a report says around its figures."""

    question: str
    claim: str
    limits: str
    axis: str
