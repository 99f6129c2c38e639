"""E11: the gap against the resolution of the images, with a backprop arm that was really run."""

from __future__ import annotations

from typing import Any

from ffzoo.bench import Claim, Words, compare
from ffzoo.plugin import Condition, Grid, Report, Study, require
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, GAPS, PAIRS
from ffzoo_experiments.claims.options import Resolutions

WORDS = Words(
    question="Does the gap between DTG-FF and backprop grow with the resolution of the images?",
    claim=(
        "DTG-FF has 49.4 % on ImageNet-100 at 224 px, against typical backprop above 75 % (abstract of "
        "arXiv:2606.06539): a cited figure, not a matched run; BiCovG reports 73.01 % on it, at a resolution not "
        "verified."
    ),
    limits="A small CNN and a short training; at cpu scale few images, so accuracies compare with nothing published.",
    axis="pixels a side",
)
SCALES: dict[str, tuple[Any, ...]] = {
    "smoke": ((4, 8), {"backbone.width": 4, "backbone.depth": 2}, 2, 32, (0, 1), (1.0,)),
    "cpu": (
        *((32, 64, 128, 224), {"backbone.width": 16, "backbone.depth": 6, "data.validation": 0.125}, 8, 32),
        *((0, 1, 2), (1.0,)),
    ),
    "full": (
        *((32, 64, 128, 224), {"backbone.width": 64, "backbone.depth": 8}, 60, 64),
        *(tuple(range(5)), (0.1, 0.3, 1.0, 3.0)),
    ),
}
"""Scale -> sides, network, epochs, batch size, seeds, learning rates; an eighth can be held out of 8 images a class."""


def grid(config: Resolutions) -> Grid:
    """The same images at several sizes.

    Raises:
        OptionError: no data set is named.
    """
    sides, network, epochs, batch_size, seeds, factors = SCALES[config.scale]
    datasets = ("digits",) if config.scale == "smoke" else config.datasets
    require(len(datasets) == 1, "datasets", ",".join(datasets), "one, of images of at least 224 pixels: folder:PATH")
    conditions = tuple(Condition(f"{side} px", datasets[0], {**network, "data.resize": side}, side) for side in sides)
    return Grid(ARMS, conditions, config.seeds or seeds, factors, "cnn", epochs, batch_size, device=config.device)


def e11(config: Resolutions, study: Study) -> Report:
    """Gaps against the side, and the slope of the gap against its logarithm."""
    claims = tuple(Claim(first, second, -1, "trend", made=False) for first, second in PAIRS)
    return compare(config, study, grid(config), WORDS, GAPS, claims)
