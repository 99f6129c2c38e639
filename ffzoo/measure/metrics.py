"""What is measured of predictions on the test set, besides accuracy.

    class Top2(Metric):
        def update(self, scores, y): ...
        def compute(self): ...

A metric sees the scores of one batch after the other; results hold what it computes, under its registered name. The
classes of torchmetrics have the same two methods.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.registry.loader import ZOO

Value = float | list[float] | list[list[float]]
"""What a metric computes: JSON values."""


class Metric:
    """Base of a metric.

    Args:
        num_classes: K.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def update(self, scores: Tensor, y: Tensor) -> None:
        """See a batch.

        Args:
            scores: predictions ``(B, K)``, highest for the predicted class.
            y: labels ``(B,)``.
        """
        raise NotImplementedError

    def compute(self) -> Value:
        """Return the value over all batches."""
        raise NotImplementedError


class TopFive(Metric):
    """Fraction of samples whose class is among the five with the highest scores; with five classes or fewer it is 1."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.hits, self.seen = 0, 0

    def update(self, scores: Tensor, y: Tensor) -> None:
        """Count hits."""
        top = scores.topk(min(5, self.num_classes), 1).indices
        self.hits += int((top == y[:, None]).any(1).sum())
        self.seen += len(y)

    def compute(self) -> float:
        """Return the fraction in [0, 1]."""
        return self.hits / self.seen


class CalibrationError(Metric):
    """Expected calibration error of softmax(scores): the mean gap of confidence and accuracy over 15 equal bins.

    Scores that are no logits, such as sums of goodness, are taken for logits all the same.
    Source: Guo et al. 2017, arXiv:1706.04599.
    """

    bins = 15

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.count, self.confidence, self.right = (torch.zeros(self.bins, dtype=torch.float64) for _ in range(3))

    def update(self, scores: Tensor, y: Tensor) -> None:
        """Add the batch to its bins."""
        confidence, predicted = scores.double().softmax(1).max(1)
        bins = (confidence * self.bins).long().clamp(max=self.bins - 1).cpu()
        self.count += torch.bincount(bins, minlength=self.bins)
        self.confidence += torch.bincount(bins, confidence.cpu(), minlength=self.bins)
        self.right += torch.bincount(bins, (predicted == y).double().cpu(), minlength=self.bins)

    def compute(self) -> float:
        """Return the error in [0, 1]."""
        return float((self.confidence - self.right).abs().sum() / self.count.sum())


class ConfusionMatrix(Metric):
    """Counts ``(K, K)`` of samples by true class (row) and predicted class (column)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.counts = torch.zeros(num_classes * num_classes, dtype=torch.int64)

    def update(self, scores: Tensor, y: Tensor) -> None:
        """Count the batch."""
        cells = y * self.num_classes + scores.argmax(1)
        self.counts += torch.bincount(cells.cpu(), minlength=len(self.counts))

    def compute(self) -> list[list[float]]:
        """Return the counts."""
        rows: list[list[float]] = self.counts.view(self.num_classes, self.num_classes).tolist()
        return rows


def make_metrics(names: tuple[str, ...], num_classes: int) -> dict[str, Metric]:
    """Return metrics by their registered names.

    Raises:
        UnknownNameError: no metric of that name.
    """
    return {name: ZOO["metrics"].get(name).load()(num_classes) for name in names}
