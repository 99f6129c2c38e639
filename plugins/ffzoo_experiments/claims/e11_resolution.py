"""E11: the gap against the resolution of the images, with a backprop arm that was really run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ffzoo.bench import Claim, Words, compare
from ffzoo.plugin import Condition, Grid, Report, Study, require
from ffzoo_experiments.claims import strength
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, GAPS, PAIRS
from ffzoo_experiments.claims.options import Resolutions
from ffzoo_experiments.claims.setting import Scale

WORDS = Words(
    question="Does the gap between DTG-FF and backprop grow with the resolution of the images?",
    claim=(
        "DTG-FF has 49.4 % on ImageNet-100 at 224 px, against typical backprop above 75 % (abstract of "
        "arXiv:2606.06539): a cited figure, not a matched run; BiCovG reports 73.01 % on it, at a resolution not "
        "verified."
    ),
    limits=(
        "A small CNN and a short training; at cpu scale few images, so accuracies compare with nothing published; at "
        "strong scale small images made smaller, which says nothing of 224 px."
    ),
    axis="pixels a side",
)


@dataclass(frozen=True)
class Sides(Scale):
    """Of the images: sides in pixels that they are read at, backbone and precision."""

    sides: tuple[int, ...] = (32, 64, 128, 224)
    backbone: str = "cnn"
    precision: str = "fp32"


SCALES = {
    "smoke": Sides(2, (0, 1), network={"backbone.width": 4, "backbone.depth": 2}, batch_size=32, sides=(4, 8)),
    "cpu": Sides(
        epochs=8,
        seeds=(0, 1, 2),
        # An eighth can be held out of 8 images per class.
        network={"backbone.width": 16, "backbone.depth": 6, "data.validation": 0.125},
        batch_size=32,
    ),
    "strong": Sides(
        epochs=strength.EPOCHS,
        seeds=(0, 1, 2),
        network={**strength.RECIPE, **strength.NARROW, "data.validation": 0.02},
        datasets=("cifar10", "cifar100"),
        batch_size=strength.BATCH_SIZE,
        sides=(8, 16, 32),
        backbone=strength.BACKBONE,
        precision="bf16",
    ),
    "full": Sides(
        epochs=60,
        seeds=tuple(range(5)),
        factors=(0.1, 0.3, 1.0, 3.0),
        network={"backbone.width": 64, "backbone.depth": 8},
    ),
}


def grid(config: Resolutions) -> Grid:
    """Return the same images at several sizes.

    Raises:
        OptionError: no data set is named.
    """
    scale = SCALES[config.scale]
    datasets = scale.datasets if config.scale in ("smoke", "strong") else config.datasets
    if config.scale not in ("smoke", "strong"):
        require(len(datasets) == 1, "datasets", ",".join(datasets), "one, of images of at least 224 px: folder:PATH")
    several = len(datasets) > 1
    conditions = tuple(
        Condition(
            f"{name}, {side} px" if several else f"{side} px",
            *(name, {**scale.network, "data.resize": side}, side),
            series=name if several else "",
        )
        for name in datasets
        for side in scale.sides
    )
    return replace(scale.grid(ARMS, conditions, config, scale.backbone), precision=scale.precision)


def e11(config: Resolutions, study: Study) -> Report:
    """Return gaps against the side, and the slope of the gap against its logarithm."""
    design = grid(config)
    series = dict.fromkeys(condition.series for condition in design.conditions)
    claims = tuple(Claim(*pair, -1, "trend", name, made=False) for name in series for pair in PAIRS)
    return compare(config, study, design, WORDS, GAPS, claims)
