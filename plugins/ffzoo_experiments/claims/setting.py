"""The setting that ``e7``, ``e8`` and ``e12`` share: a small CNN, at cpu scale on 5,000 images of two data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ffzoo.bench import Comparison
from ffzoo.plugin import Arm, Condition, Grid


@dataclass(frozen=True)
class Scale:
    """How large an experiment is.

    Attributes:
        epochs: passes over the training set.
        seeds: of initial weights and order.
        factors: learning rates to try, as multiples of an algorithm's own.
        network: options of the backbone and of the data, the same for all arms.
        datasets: to train on.
        batch_size: samples per step.
    """

    epochs: int
    seeds: tuple[int, ...]
    factors: tuple[float, ...] = (1.0,)
    network: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[str, ...] = ("digits",)
    batch_size: int = 64

    def grid(self, arms: tuple[Arm, ...], conditions: tuple[Condition, ...], config: Comparison, backbone: str) -> Grid:
        """Return the grid of this size; seeds and device are the experiment's, where its options name them."""
        return Grid(
            arms,
            conditions,
            seeds=config.seeds or self.seeds,
            factors=self.factors,
            backbone=backbone,
            epochs=self.epochs,
            batch_size=self.batch_size,
            device=config.device,
        )


SCALES = {
    "smoke": Scale(2, (0, 1), network={"backbone.width": 4, "backbone.depth": 2}),
    "cpu": Scale(
        epochs=8,
        seeds=(0, 1, 2, 3, 4),
        factors=(0.3, 1.0, 3.0, 10.0),
        network={"backbone.width": 16, "backbone.depth": 6, "data.train_size": 5_000},
        datasets=("fashion_mnist", "cifar10"),
    ),
    "full": Scale(
        epochs=60,
        seeds=tuple(range(10)),
        factors=(0.1, 0.3, 1.0, 3.0, 10.0),
        network={"backbone.width": 64, "backbone.depth": 8},
        datasets=("fashion_mnist", "cifar10", "cifar100"),
    ),
}


def image_grid(config: Comparison, arms: tuple[Arm, ...], further: Callable[..., dict[str, Any]] | None = None) -> Grid:
    """Return the grid of some arms in that setting; ``further`` as in :class:`ffzoo.bench.grid.Grid`."""
    scale = SCALES[config.scale]
    conditions = tuple(Condition(name, name, scale.network) for name in scale.datasets)
    return replace(scale.grid(arms, conditions, config, "cnn"), further=further)
