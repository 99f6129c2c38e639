"""What each block's features are worth to a linear readout that is fitted after training."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F

from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.batch import Batch
from ffzoo.parts.fusions import linear_probe
from ffzoo.parts.projection import pool_grid


@torch.no_grad()
def linear_probes(
    algorithm: Algorithm, train: Iterable[Batch], test: Iterable[Batch], grid: int = 4, l2: float = 1e-4
) -> list[float]:
    """Return the accuracy of a logistic regression on the features of each block.

    Args:
        algorithm: trained, in evaluation mode.
        train: what the probes are fitted on.
        test: what they are tested on.
        grid: maps are averaged on that many windows per side first.
        l2: weight decay of the probes.

    Returns:
        One fraction in [0, 1] a block.
    """

    def read(part: Iterable[Batch]) -> tuple[list[torch.Tensor], torch.Tensor]:
        maps, labels = [], []
        for batch in part:
            maps.append([pool_grid(h, grid).float() for h in algorithm.features(batch.x)])
            labels.append(batch.y)
        return [torch.cat(block) for block in zip(*maps, strict=True)], torch.cat(labels)

    seen, y = read(train)
    new, truth = read(test)
    right = []
    for f, g in zip(seen, new, strict=True):
        mean, scale, weight, bias = linear_probe(f, y, algorithm.num_classes, l2)
        right.append(float((F.linear((g - mean) * scale, weight, bias).argmax(1) == truth).double().mean()))
    return right
