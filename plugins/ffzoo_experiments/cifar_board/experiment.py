"""The board of CIFAR-10: every algorithm on the same convolutional network, under one recipe, with the same search.

A few multiples of the recipe's learning rates are tried for each algorithm on a part of the training set; validation
accuracy chooses. Then one seed for all, and all seeds for the best and for whatever has a published figure.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ffzoo.bench import ZOO, FFZooError, RunConfig, card_of, list_algorithms, planned, train, workers_of
from ffzoo.plugin import Arm, Condition, Grid, Published, Report, Study
from ffzoo_experiments.cifar_board.options import CifarBoard
from ffzoo_experiments.cifar_board.report import Row, figures, tables, verdicts
from ffzoo_experiments.claims.strength import BACKBONE, RECIPE

NETWORK = {"backbone.widths": [32, 64, 64, 128, 128]}
"""Five convolutions, each a block; narrow, so that all algorithms take some ten hours on two slow cores."""
BATCH_SIZE = 250


def cifar_board(config: CifarBoard, study: Study) -> Report:
    """Search, train and test; what an algorithm refuses is said in a note."""
    algos = config.algos or tuple(list_algorithms())
    design = _grid(config, algos)
    condition, first = design.conditions[0], config.seeds[0]
    left_out: list[str] = []
    arms = {arm.name: arm for arm in design.arms if _fits(design, arm, left_out)}
    published = {name: _published(name, config.dataset) for name in arms}
    workers = 1 if study.reads_only else workers_of(config)
    study.expect(len(arms) * (len(config.factors) + 1))
    trials = {
        f"{name}: rate x {factor:g}": planned(design, condition, arm, first, factor, True)
        for name, arm in arms.items()
        for factor in config.factors
    }
    tried = train(study, trials, workers, left_out)
    factors: dict[str, float] = {}
    for name in arms:
        scores = {f: tried[key]["test_accuracy"] for f in config.factors if (key := f"{name}: rate x {f:g}") in tried}
        if scores:
            factors[name] = max(scores, key=lambda f: scores[f])

    def runs(names: list[str], seeds: tuple[int, ...]) -> dict[str, RunConfig]:
        return {
            f"{name}: seed {seed}": planned(design, condition, arms[name], seed, factors[name], False)
            for seed in seeds
            for name in names
        }

    cells = train(study, runs(list(factors), (first,)), workers, left_out)
    done = [name for name in factors if f"{name}: seed {first}" in cells]
    ranked = sorted(done, key=lambda name: -(cells[f"{name}: seed {first}"]["validation_accuracy"] or 0.0))
    chosen = [name for name in ranked if name in ranked[: config.best] or published[name] is not None]
    study.expect(len(chosen) * (len(config.seeds) - 1))
    cells |= train(study, runs(chosen, config.seeds[1:]), workers, left_out)
    rows = [
        Row(
            name,
            factors[name],
            tuple(cells[key] for seed in config.seeds if (key := f"{name}: seed {seed}") in cells),
            published[name],
        )
        for name in done
    ]
    rates = ", ".join(f"{f:g}" for f in config.factors)
    return Report(
        {"options": dataclasses.asdict(config), "rows": [dataclasses.asdict(row) for row in rows]},
        tables(rows),
        figures(rows),
        verdicts(rows),
        (
            f"The whitened CNN with widths {NETWORK['backbone.widths']}, each convolution a block; {config.epochs} "
            f"epochs in batches of {BATCH_SIZE}, bf16, the recipe of fast_cifar_wide for all. Rates of {rates} times "
            f"the recipe's tried on {config.search_size:,} images with seed {first}; the validation part chose.",
            *(f"Left out: {line}." for line in left_out),
        ),
        "How accurate is every algorithm on CIFAR-10 under one strong recipe, and at what cost?",
        limits="One narrow network and one short schedule, chosen for backprop and local classifiers.",
    )


def _grid(config: CifarBoard, algos: tuple[str, ...]) -> Grid:
    data = {"data.validation": 0.1, "data.train_size": config.train_size}
    return Grid(
        tuple(Arm(name, name) for name in algos),
        (Condition(config.dataset, config.dataset, {**RECIPE, **NETWORK, **data}),),
        config.seeds,
        backbone=BACKBONE,
        epochs=config.epochs,
        batch_size=BATCH_SIZE,
        precision="bf16",
        device=config.device,
        search={"data.train_size": config.search_size},
    )


def _fits(design: Grid, arm: Arm, left_out: list[str]) -> bool:
    """Return whether a run can be planned; else say why not."""
    ZOO["algorithms"].get(arm.algo)
    try:
        planned(design, design.conditions[0], arm, design.seeds[0], 1.0, False)
    except FFZooError as error:
        left_out.append(f"{arm.name}: {error}")
        return False
    return True


def _published(name: str, dataset: str) -> Published | None:
    """Return the best published figure on a data set."""
    card: Any = card_of(ZOO["algorithms"].get(name))
    figures = [] if card is None else [p for p in card.published if p.dataset == dataset]
    return max(figures, key=lambda p: p.accuracy, default=None)
