"""The setting that ``e7``, ``e8`` and ``e12`` share: a small CNN, at cpu scale on 5,000 images of two data sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ffzoo.bench import Comparison
from ffzoo.plugin import Arm, Condition, Grid

SCALES = {
    "smoke": (("digits",), {"backbone.width": 4, "backbone.depth": 2}, 2, (0, 1), (1.0,)),
    "cpu": (
        ("fashion_mnist", "cifar10"),
        {"backbone.width": 16, "backbone.depth": 6, "data.train_size": 5_000},
        *(8, (0, 1, 2, 3, 4), (0.3, 1.0, 3.0, 10.0)),
    ),
    "full": (
        ("fashion_mnist", "cifar10", "cifar100"),
        {"backbone.width": 64, "backbone.depth": 8},
        *(60, tuple(range(10)), (0.1, 0.3, 1.0, 3.0, 10.0)),
    ),
}
"""Scale -> data sets, network, epochs, seeds, learning rates."""


def image_grid(config: Comparison, arms: tuple[Arm, ...], further: Callable[..., dict[str, Any]] | None = None) -> Grid:
    """The grid of some arms in that setting; ``further`` as in :class:`ffzoo.bench.grid.Grid`."""
    datasets, network, epochs, seeds, factors = SCALES[config.scale]
    return Grid(
        arms,
        tuple(Condition(name, name, network) for name in datasets),
        *(config.seeds or seeds, factors, "cnn", epochs, 64),
        device=config.device,
        further=further,
    )
