"""E1: the matched gap on whole data sets: DTG-FF, the same network with deep supervision, and plain backprop.

At cpu scale on the whitened CNN of ``fast_cifar`` in its short schedule, a quarter as wide and in fp32, for cores
without bf16 units; the learning rate is searched on 10,000 images of the training set, for every arm alike. At strong
scale both readings of DTG-FF, and deep supervision with equal and with growing weights, where the best arm is above
92 % on CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ffzoo.bench import Claim, Words, compare
from ffzoo.plugin import Arm, Condition, Grid, Report, Study
from ffzoo_experiments.claims import strength
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, GAPS, PAIRS
from ffzoo_experiments.claims.options import Strong
from ffzoo_experiments.claims.setting import Scale

WORDS = Words(
    question="Under one recipe, how far is DTG-FF behind the same network with deep supervision, and behind backprop?",
    claim="BP-DeepSup is 2.40 points ahead on CIFAR-10 and 5.93 points on CIFAR-100 (abstract of arXiv:2606.06539).",
    limits="One network and one short schedule; the paper's own is not known in full.",
    axis="data set",
)
PUBLISHED = {"cifar10": -2.40, "cifar100": -5.93}
"""DTG-FF minus BP-DeepSup, points (abstract)."""

_RECIPE = {
    "fit.optimizer": "muon",
    "fit.filter_norm": True,
    "fit.lr": 0.005,
    "fit.schedule": "linear",
    "fit.warmup": 0.1,
    "fit.label_smoothing": 0.2,
    "fit.crop_padding": 2,
    "fit.augment": ["crop", "alternating_flip"],
    "data.test_flip": True,
}


@dataclass(frozen=True)
class Whole(Scale):
    """Of the whole data sets: arms, compared pairs, backbone, precision, and options of the search alone."""

    arms: tuple[Arm, ...] = ARMS
    pairs: tuple[tuple[str, str], ...] = PAIRS
    gaps: tuple[tuple[str, str], ...] = GAPS
    backbone: str = "whitened_cnn"
    precision: Literal["fp32", "bf16"] = "fp32"
    search: Mapping[str, Any] = field(default_factory=dict)


SCALES = {
    "smoke": Whole(2, (0, 1), network={"backbone.width": 4, "backbone.depth": 2}, backbone="cnn"),
    "cpu": Whole(
        epochs=8,
        seeds=(0, 1, 2),
        factors=(0.3, 1.0, 3.0),
        network={**_RECIPE, "backbone.widths": [16, 16, 64, 64, 64, 64]},
        datasets=("fashion_mnist", "cifar10", "cifar100"),
        batch_size=500,
        search={"data.train_size": 10_000},
    ),
    "strong": Whole(
        epochs=strength.EPOCHS,
        seeds=(0, 1, 2),
        network={**strength.RECIPE, **strength.WIDE, "data.validation": 0.02},
        datasets=("cifar10", "cifar100", "tiny_imagenet"),
        batch_size=strength.BATCH_SIZE,
        arms=strength.ARMS,
        pairs=strength.PAIRS,
        gaps=strength.GAPS,
        precision="bf16",
    ),
    "full": Whole(
        epochs=60,
        seeds=tuple(range(5)),
        factors=(0.1, 0.3, 1.0, 3.0),
        network={**_RECIPE, "backbone.widths": [128, 128, 256, 256, 512, 512]},
        datasets=("fashion_mnist", "cifar10", "cifar100"),
        batch_size=500,
        precision="bf16",
    ),
}


_TINY = {"data.resize": 32, "data.train_size": 49_000}
"""Tiny-ImageNet at 32 px, with 250 of its 500 images per class."""


def grid(config: Strong) -> Grid:
    """Return every data set, whole."""
    scale = SCALES[config.scale]
    conditions = tuple(
        Condition(name, name, {**scale.network, **(_TINY if name == "tiny_imagenet" else {})})
        for name in scale.datasets
    )
    return Grid(
        scale.arms,
        conditions,
        seeds=config.seeds or scale.seeds,
        factors=scale.factors,
        backbone=scale.backbone,
        epochs=scale.epochs,
        batch_size=scale.batch_size,
        precision=scale.precision,
        device=config.device,
        search=scale.search,
    )


def e1(config: Strong, study: Study) -> Report:
    """Return gaps on each data set; where one is published, whether the interval holds it."""
    scale = SCALES[config.scale]
    claims = tuple(
        Claim(
            *(first, second, -1, "mean", (condition.name,)),
            published=PUBLISHED.get(condition.name) if second.startswith("bp_deepsup") else None,
        )
        for condition in grid(config).conditions
        for first, second in reversed(scale.pairs)
    )
    return compare(config, study, grid(config), WORDS, scale.gaps, claims)
