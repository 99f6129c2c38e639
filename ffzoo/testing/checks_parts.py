"""What every part has to keep: the checks of each kind."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType

from ffzoo.algorithms.making import make_part
from ffzoo.testing.checks_backbones import backbone_copies, backbone_isolated, backbone_owners, backbone_shapes
from ffzoo.testing.checks_inputs import (
    embedding_injective,
    embedding_shape,
    negatives_are_wrong,
    negatives_shape,
    normalization_gradient,
    normalization_rows,
)
from ffzoo.testing.checks_scores import (
    fusion_scores,
    fusion_trains,
    goodness_extremes,
    goodness_gradient,
    goodness_rows,
    goodness_shape,
    loss_gradient,
    loss_mean,
    loss_scalar,
)
from ffzoo.testing.subjects import Check, Draws, Subject


def documented(subject: Subject, draws: Draws) -> None:
    """Check that a registered part has a summary, and its target a docstring."""
    entry = subject.entry
    assert entry is not None

    def test() -> None:
        assert entry.summary, f"{entry} was registered without a summary"
        assert inspect.getdoc(entry.load()), f"the target of {entry} has no docstring"

    draws.once(test)


def schedule_windows(subject: Subject, draws: Draws) -> None:
    """Check that every block has a window within the training, and some block trains until its end."""
    name = subject.name.partition(":")[2]

    def test() -> None:
        for depth in (1, 2, 5):
            schedule = make_part("schedules", name, depth)
            windows = [schedule.window(l) for l in range(depth)]
            for l, (start, end) in enumerate(windows):
                assert 0 <= start < end <= 1, f"block {l + 1} of {depth} trains from {start} to {end}"
            assert max(end for _, end in windows) == 1, f"no block of {depth} trains until the end"

    draws.once(test)


PART_CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {
        "goodness": (documented, goodness_shape, goodness_rows, goodness_gradient, goodness_extremes),
        "local_losses": (documented, loss_scalar, loss_mean, loss_gradient),
        "fusions": (documented, fusion_scores, fusion_trains),
        "negatives": (documented, negatives_shape, negatives_are_wrong),
        "label_embeddings": (documented, embedding_shape, embedding_injective),
        "normalizations": (documented, normalization_rows, normalization_gradient),
        "schedules": (documented, schedule_windows),
        "backbones": (documented, backbone_shapes, backbone_owners, backbone_isolated, backbone_copies),
    }
)
