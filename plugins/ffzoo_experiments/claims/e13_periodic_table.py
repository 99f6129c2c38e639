"""E13: thirteen published rules are one class goodness with a few options; what is each choice worth?

A half fraction of the two-level factorial over six factors, I = ABCDEF, so that main effects and two-way interactions
are clear of each other: power of the features, grid of the pooling, their norm, the temperature, and two factors that
code four projections. At full scale all 64 cells.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Collection

from ffzoo.bench import Comparison, Found, Gap, accuracy_table, factorial_effects, make_run, run_grid, train, workers_of
from ffzoo.plugin import Arm, Condition, Execution, Grid, Report, Study
from ffzoo_experiments.claims.e01_whole_data import SCALES as WHOLE
from ffzoo_experiments.claims.e13_design import (
    CONTRASTS,
    Levels,
    cells_of,
    expected,
    name_of,
    published_cells,
    settings_of,
)
from ffzoo_experiments.claims.e13_report import effect_table, picture, verdicts, whole_table
from ffzoo_experiments.claims.setting import Scale

SCALES = {
    "smoke": Scale(1, (0, 1), network={"backbone.width": 10, "backbone.depth": 2, "data.train_size": 200}),
    "cpu": Scale(
        epochs=5,
        seeds=(0, 1, 2),
        factors=(1.0, 4.0),
        network={"backbone.width": 16, "backbone.depth": 4, "data.train_size": 5000},
        datasets=("fashion_mnist", "cifar10"),
    ),
    "full": Scale(
        epochs=40,
        seeds=tuple(range(5)),
        factors=(0.3, 1.0, 3.0),
        network={"backbone.width": 128, "backbone.depth": 8},  # at least one channel per class, for the groups
        datasets=("fashion_mnist", "cifar10", "cifar100"),
    ),
}


def grid(config: Comparison) -> Grid:
    """Return one arm per cell."""
    scale = SCALES[config.scale]
    arms = tuple(Arm(name, "dtg_ff", settings_of(levels)) for levels, name in cells_of(config.scale).items())
    conditions = tuple(Condition(name, name, scale.network) for name in scale.datasets)
    return scale.grid(arms, conditions, config, "cnn")


def e13(config: Comparison, study: Study) -> Report:
    """Effects of the options, the table of cells, and what the best unpublished cell gives on all of CIFAR-10."""
    design, cells = grid(config), cells_of(config.scale)
    found = run_grid(design, study, 1 if study.reads_only else workers_of(config))
    published = published_cells()
    effects = {c.name: _effects(found, c.name, cells) for c in design.conditions}
    best, left_out = _best_new(found, cells, published), list(found.left_out)
    whole = {} if best is None or config.scale == "smoke" else _whole(config, study, best, left_out)
    means = {c.name: _means(found, c.name, cells) for c in design.conditions}
    data = {
        "options": dataclasses.asdict(config),
        "means": {name: {cells[levels]: value for levels, value in of.items()} for name, of in means.items()},
        "effects": {name: {key: dataclasses.asdict(gap) for key, gap in of.items()} for name, of in effects.items()},
        "whole": whole,
    }
    notes = [
        f"{config.scale} scale: {len(cells)} of 64 cells, {len(design.seeds)} seeds; of {len(design.factors)} learning "
        "rates the validation part chose one for every cell.",
        "An effect is the mean of its cells at the first value less that at the second; intervals are 95 % and hold "
        "together (Holm), from the variance over seeds pooled over cells.",
        "All else is dtg_ff: layernorm between blocks, the best range of blocks predicts.",
        *(f"Left out: {line}." for line in left_out),
    ]
    return Report(
        data,
        (effect_table(effects), *([whole_table(whole)] if whole else []), accuracy_table(design, found)),
        (picture({name: expected(of, cells) for name, of in means.items()}, means, published),),
        verdicts(config, effects, best),
        tuple(notes),
        "Which option of the class goodness is worth how many points?",
        "Each published rule argues for its own choice.",
        "A small CNN, subsets, a short training. Rules that differ in more than these options are marked at the "
        "nearest cell, which is not the rule.",
    )


def _values(found: Found, condition: str, arm: str) -> list[float]:
    return [100 * cell["test_accuracy"] for _, cell in sorted(found.runs[condition][arm].items())]


def _means(found: Found, condition: str, cells: dict[Levels, str]) -> dict[Levels, float]:
    known = {levels: _values(found, condition, name) for levels, name in cells.items()}
    return {levels: statistics.fmean(values) for levels, values in known.items() if values}


def _effects(found: Found, condition: str, cells: dict[Levels, str]) -> dict[str, Gap]:
    """Return nothing where a cell or a seed is missing: the contrasts would not be clear of each other."""
    seeds = {name: set(found.runs[condition][name]) for name in cells.values()}
    shared = set.intersection(*seeds.values())
    if len(shared) < 2 or any(of != shared for of in seeds.values()):
        return {}
    return factorial_effects({levels: _values(found, condition, name) for levels, name in cells.items()}, CONTRASTS)


def _best_new(found: Found, cells: dict[Levels, str], published: Collection[Levels]) -> Levels | None:
    """Return the cell of no registered rule that is best on the validation sets, among those run on every data set."""

    def validated(levels: Levels) -> float:
        runs = [cell for arms in found.runs.values() for cell in arms[cells[levels]].values()]
        return statistics.fmean(cell["validation_accuracy"] for cell in runs)

    seeds = max((len(arms[name]) for arms in found.runs.values() for name in arms), default=0)
    whole = [
        levels
        for levels, name in cells.items()
        if levels not in published and seeds and all(len(arms[name]) == seeds for arms in found.runs.values())
    ]
    return max(whole, key=validated, default=None)


def _whole(config: Comparison, study: Study, best: Levels, left_out: list[str]) -> dict[str, float]:
    """Train on all of CIFAR-10 under the recipe of E1: a cell, and dtg_ff beside it; percent."""
    whole = WHOLE[config.scale]
    runs = {}
    for name, settings in ((name_of(best), settings_of(best)), ("dtg_ff", {})):
        runs[f"all of CIFAR-10: {name}"] = make_run(
            *("dtg_ff", "cifar10"),
            backbone=whole.backbone,
            epochs=whole.epochs,
            batch_size=whole.batch_size,
            settings={**whole.network, **settings},
            execution=Execution(precision=whole.precision),
            device=config.device,
        )
    study.expect(len(runs))
    cells = train(study, runs, 1 if study.reads_only else workers_of(config), left_out)
    return {key: 100 * cell["test_accuracy"] for key, cell in cells.items()}
