"""Options of the self-contrastive loss."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class TwoThresholds:
    """Logistic losses of the two views, each with a threshold and a scale of its own.

    Attributes:
        positive: theta+, which the positive view's goodness is to exceed.
        negative: theta-, which the negative view's goodness is to stay below.
        positive_scale: a, factor of the positive view's distance to its threshold.
        negative_scale: b, factor of the negative view's.
        penalty: lambda, weight of the norm of the positive view's goodness.
    """

    positive: float = 1.0
    negative: float = 2.0
    positive_scale: float = 1.0
    negative_scale: float = 1.0
    penalty: float = 0.001

    def __post_init__(self) -> None:
        check(self)
        require(self.positive_scale > 0, "positive_scale", self.positive_scale, "> 0")
        require(self.negative_scale > 0, "negative_scale", self.negative_scale, "> 0")
        require(self.penalty >= 0, "penalty", self.penalty, "at least 0")
