"""E2: does the gap to backprop widen with the number of classes, on real images?

Some of the classes of CIFAR-100, twice: with as many images a class, so that more classes are more images, and with as
many images in all, so that more classes are fewer images each.
"""

from __future__ import annotations

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Condition, Grid, Report, Study
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, BESIDE, GAPS, PAIRS

WORDS = Words(
    question="Does the gap between DTG-FF and backprop widen with the class count K on real images?",
    claim="Yes: backprop stays ahead and its lead grows with K (abstract of arXiv:2606.06539).",
    limits=(
        "Subsets of CIFAR-100, a small CNN and a short training; with many classes all arms are far from what longer "
        "training gives, and where accuracies fall, gaps in points shrink with them."
    ),
    axis="classes K",
)
VALIDATION = 0.2  # of the classes' images; a tenth is little to choose a rate on where there are few classes
EACH, ALL = "real, as many images a class", "real, as many images in all"
SCALES = {
    "smoke": ("digits", (3, 10), 40, 160, {"backbone.width": 4, "backbone.depth": 2}, 2, (0, 1), (1.0,)),
    "cpu": (
        *("cifar100", (10, 20, 50, 100), 100, 4000, {"backbone.width": 16, "backbone.depth": 6}),
        *(8, (0, 1, 2, 3, 4), (0.3, 1.0, 3.0, 10.0)),
    ),
    "full": (
        *("cifar100", (10, 20, 50, 100), 400, 4000, {"backbone.width": 64, "backbone.depth": 8}),
        *(60, tuple(range(10)), (0.1, 0.3, 1.0, 3.0, 10.0)),
    ),
}
"""Scale -> data set, K, images a class, images in all, network, epochs, seeds, learning rates."""


def grid(config: Comparison) -> Grid:
    """K and both ways to count images; every seed draws its classes."""
    dataset, classes, each, total, network, epochs, seeds, factors = SCALES[config.scale]
    conditions = tuple(
        Condition(
            f"K = {k}, {size} images",
            dataset,
            {**network, "data.classes": k, "data.train_size": size, "data.validation": VALIDATION},
            k,
            ("data.split_seed",),
            series,
        )
        for series, sizes in ((EACH, [each * k for k in classes]), (ALL, [total] * len(classes)))
        for k, size in zip(classes, sizes, strict=True)
        if series == EACH or total != each * k  # one cell is not trained twice
    )
    return Grid(ARMS, conditions, config.seeds or seeds, factors, "cnn", epochs, 64, device=config.device)


def e2(config: Comparison, study: Study) -> Report:
    """Gaps against K, and the slope of the gap against log K."""
    claims = tuple(Claim(first, second, -1, "trend", series) for series in (EACH, ALL) for first, second in PAIRS)
    return compare(config, study, grid(config), WORDS, GAPS, claims, beside=BESIDE)
