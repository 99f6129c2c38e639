"""E4: is it the number of classes, or what they are? The same images with 20 and with 100 labels.

The superclasses of CIFAR-100 are the 20 labels; five classes thrown together at random, 20 times, are the control: as
many labels, of no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Condition, Grid, Report, Study
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, GAPS, PAIRS
from ffzoo_experiments.claims.setting import Scale

WORDS = Words(
    question="On the same images, is backprop's lead over DTG-FF larger with 100 fine labels than with 20 coarse ones?",
    claim=(
        "A probe with coarse and fine labels separates the class count from the data (abstract of arXiv:2606.06539); "
        "that the lead is larger on fine labels is our inference."
    ),
    limits="CIFAR-100 alone, a small CNN and a short training.",
    axis="labels of the same images",
)
COARSE, RANDOM, FINE = "20 superclasses", "20 random groups", "100 classes"


@dataclass(frozen=True)
class Labels(Scale):
    """Of the images: how many are trained on; all when None."""

    train_size: int | None = 200


SCALES = {
    "smoke": Labels(2, (0, 1), network={"backbone.width": 4, "backbone.depth": 2}),
    "cpu": Labels(
        epochs=8,
        seeds=(0, 1, 2),
        factors=(0.3, 1.0, 3.0, 10.0),
        network={"backbone.width": 16, "backbone.depth": 6},
        train_size=10_000,
    ),
    "full": Labels(
        epochs=60,
        seeds=tuple(range(10)),
        factors=(0.1, 0.3, 1.0, 3.0, 10.0),
        network={"backbone.width": 64, "backbone.depth": 8},
        train_size=None,
    ),
}


def grid(config: Comparison) -> Grid:
    """Three labellings; digits in 2 groups, 2 other groups and 10 classes at smoke scale."""
    scale = SCALES[config.scale]
    shared = dict(scale.network) | ({} if scale.train_size is None else {"data.train_size": scale.train_size})
    dataset, groups = ("digits", 2) if config.scale == "smoke" else ("cifar100", 20)
    coarse = {"data.groups": 2, "data.groups_seed": 99} if config.scale == "smoke" else {"data.groups": "superclasses"}
    conditions = (
        Condition(COARSE, dataset, {**shared, **coarse}),
        Condition(RANDOM, dataset, {**shared, "data.groups": groups}, per_seed=("data.groups_seed",)),
        Condition(FINE, dataset, shared),
    )
    return scale.grid(ARMS, conditions, config, "cnn")


def e4(config: Comparison, study: Study) -> Report:
    """Return gaps under the three labellings, and the change of the gap from coarse to fine."""
    claims = tuple(
        Claim(first, second, -1, "change", (other, FINE), made=False)
        for other in (COARSE, RANDOM)
        for first, second in PAIRS
    )
    return compare(config, study, grid(config), WORDS, GAPS, claims)
