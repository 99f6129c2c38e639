"""E2: does the gap to backprop widen with the number of classes, on real images?

Some classes of CIFAR-100, or at strong scale of Tiny-ImageNet at 32 px, up to the 200 of the teacher-student tasks.
Twice: with as many images per class, so that more classes are more images, and with as many images in all, so that more
classes are fewer images each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ffzoo.bench import Claim, Words, compare
from ffzoo.plugin import Arm, Condition, Grid, Report, Study
from ffzoo_experiments.claims import strength
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, BESIDE, GAPS, PAIRS
from ffzoo_experiments.claims.options import Strong
from ffzoo_experiments.claims.setting import Scale

WORDS = Words(
    question="Does the gap between DTG-FF and backprop widen with the class count K on real images?",
    claim="Yes: backprop stays ahead and its lead grows with K (abstract of arXiv:2606.06539).",
    limits=(
        "Subsets of one data set, a small CNN, a short training; with many classes all arms are far from what longer "
        "training gives, and where accuracies fall, gaps in points shrink with them."
    ),
    axis="classes K",
)
VALIDATION = 0.2  # of the classes' images; a tenth is little to choose a rate on where there are few classes
EACH, ALL = "real, as many images a class", "real, as many images in all"


@dataclass(frozen=True)
class Classes(Scale):
    """Of the classes: arms, K, images per class on one side and in all on the other, backbone and precision."""

    arms: tuple[Arm, ...] = ARMS
    pairs: tuple[tuple[str, str], ...] = PAIRS
    gaps: tuple[tuple[str, str], ...] = GAPS
    classes: tuple[int, ...] = (3, 10)
    per_class: int = 40
    in_all: int = 160
    backbone: str = "cnn"
    precision: str = "fp32"


SCALES = {
    "smoke": Classes(2, (0, 1), network={"backbone.width": 4, "backbone.depth": 2}),
    "cpu": Classes(
        epochs=8,
        seeds=(0, 1, 2, 3, 4),
        factors=(0.3, 1.0, 3.0, 10.0),
        network={"backbone.width": 16, "backbone.depth": 6},
        datasets=("cifar100",),
        classes=(10, 20, 50, 100),
        per_class=100,
        in_all=4000,
    ),
    "strong": Classes(
        epochs=20,  # of few images: as many steps as a short training on many
        seeds=(0, 1, 2),
        network={**strength.RECIPE, **strength.NARROW, "data.resize": 32},
        datasets=("tiny_imagenet",),
        batch_size=100,
        classes=(10, 25, 50, 100, 200),
        per_class=200,
        in_all=2000,
        arms=(Arm("dtg_ff", "dtg_ff"), Arm("bp_deepsup", "bp_deepsup"), strength.GROWING, Arm("bp", "bp")),
        pairs=(*PAIRS, ("dtg_ff", strength.GROWING.name)),
        gaps=(*GAPS, ("dtg_ff", strength.GROWING.name)),
        backbone=strength.BACKBONE,
        precision="bf16",
    ),
    "full": Classes(
        epochs=60,
        seeds=tuple(range(10)),
        factors=(0.1, 0.3, 1.0, 3.0, 10.0),
        network={"backbone.width": 64, "backbone.depth": 8},
        datasets=("cifar100",),
        classes=(10, 20, 50, 100),
        per_class=400,
        in_all=4000,
    ),
}


def grid(config: Strong) -> Grid:
    """K and both ways to count images; every seed draws its classes."""
    scale = SCALES[config.scale]
    each, total, classes = scale.per_class, scale.in_all, scale.classes
    conditions = tuple(
        Condition(
            f"K = {k}, {size} images",
            scale.datasets[0],
            {**scale.network, "data.classes": k, "data.train_size": size, "data.validation": VALIDATION},
            k,
            ("data.split_seed",),
            series,
        )
        for series, sizes in ((EACH, [each * k for k in classes]), (ALL, [total] * len(classes)))
        for k, size in zip(classes, sizes, strict=True)
        if series == EACH or total != each * k  # one cell is not trained twice
    )
    return replace(scale.grid(scale.arms, conditions, config, scale.backbone), precision=scale.precision)


def e2(config: Strong, study: Study) -> Report:
    """Return gaps against K, and the slope of the gap against log K."""
    scale = SCALES[config.scale]
    claims = tuple(Claim(first, second, -1, "trend", series) for series in (EACH, ALL) for first, second in scale.pairs)
    return compare(config, study, grid(config), WORDS, scale.gaps, claims, beside=BESIDE)
