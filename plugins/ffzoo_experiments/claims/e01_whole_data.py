"""E1: the matched gap on whole data sets: DTG-FF, the same network with deep supervision, and plain backprop.

At cpu scale on the whitened CNN of ``fast_cifar`` in its short schedule, a quarter as wide and in fp32, for cores
without bf16 units; the learning rate is searched on 10,000 images of the training set, for every arm alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Condition, Grid, Report, Study
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, GAPS, PAIRS
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
    """Of the whole data sets: backbone, precision, and options of the search alone."""

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


def grid(config: Comparison) -> Grid:
    """Return every data set, whole."""
    scale = SCALES[config.scale]
    conditions = tuple(Condition(name, name, scale.network) for name in scale.datasets)
    return Grid(
        ARMS,
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


def e1(config: Comparison, study: Study) -> Report:
    """Return gaps on each data set; where one is published, whether the interval holds it."""
    claims = tuple(
        Claim(
            *(first, second, -1, "mean", (condition.name,)),
            published=PUBLISHED.get(condition.name) if (first, second) == ("dtg_ff", "bp_deepsup") else None,
        )
        for condition in grid(config).conditions
        for first, second in reversed(PAIRS)
    )
    return compare(config, study, grid(config), WORDS, GAPS, claims)
