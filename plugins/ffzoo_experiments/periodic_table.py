"""E13: thirteen published rules are one class goodness with a few options; what is each choice worth?

A half fraction of the two-level factorial over six factors, I = ABCDEF, so that main effects and two-way interactions
are clear of each other: power of the features, grid of the pooling, their norm, the temperature, and two factors that
code four projections. At full scale all 64 cells.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from collections.abc import Collection
from typing import Any

from ffzoo.bench.grid import Arm, Condition, Found, Grid, run_grid, train
from ffzoo.bench.report import Report, Table
from ffzoo.bench.statistics import Gap, factorial_effects
from ffzoo.bench.study import Study
from ffzoo.build import algorithm_spec
from ffzoo.listing import list_algorithms
from ffzoo.parts.options import Projection
from ffzoo.plan import make_run
from ffzoo.training.options import Execution
from ffzoo_experiments.comparison import workers_of
from ffzoo_experiments.comparison_options import Comparison
from ffzoo_experiments.gap_tables import accuracy_table, written
from ffzoo_experiments.periodic_figure import picture
from ffzoo_experiments.whole_data import SCALES as WHOLE

Levels = tuple[int, ...]

FACTORS: dict[str, tuple[Any, Any]] = {
    "power": (1, 2),
    "grid": (1, 4),
    "l2": ("none", "pooled"),
    "temperature": (1.05, "learned"),
}
"""Option of the goodness -> its value at -1 and at +1. The constant temperature is where the learned one begins."""
PROJECTIONS: dict[Levels, str] = {(-1, -1): "groups", (1, -1): "random", (-1, 1): "waves", (1, 1): "learned"}
CONTRASTS: dict[str, tuple[int, ...]] = {
    **{f"{name}: {high} - {low}": (number,) for number, (name, (low, high)) in enumerate(FACTORS.items())},
    "projection: random, learned - groups, waves": (4,),
    "projection: waves, learned - groups, random": (5,),
    "projection: groups, learned - random, waves": (4, 5),
    **{
        f"{a} x {b}": (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate([*FACTORS, "dense", "structured"]), 2)
        if (i, j) != (4, 5)
    },
}
"""Effect -> the factors whose levels are multiplied. ``dense`` and ``structured`` are the projection's two factors."""
SCALES = {
    "smoke": (*(("digits",), {"backbone.width": 10, "backbone.depth": 2, "data.train_size": 200}, 1, (0, 1), (1.0,)),),
    "cpu": (
        ("fashion_mnist", "cifar10"),
        {"backbone.width": 16, "backbone.depth": 4, "data.train_size": 5000},
        *(5, (0, 1, 2), (1.0, 4.0)),
    ),
    "full": (
        ("fashion_mnist", "cifar10", "cifar100"),
        {"backbone.width": 128, "backbone.depth": 8},  # a channel a class at least, for the groups
        *(40, tuple(range(5)), (0.3, 1.0, 3.0)),
    ),
}
"""Scale -> data sets, network, epochs, seeds, learning rates."""


def cells_of(scale: str) -> dict[Levels, str]:
    """Levels -> name of the arm: half of the cells, all at full scale."""
    every = itertools.product((-1, 1), repeat=6)
    return {levels: name_of(levels) for levels in every if scale == "full" or math.prod(levels) == 1}


def name_of(levels: Levels) -> str:
    """What tables call a cell."""
    values = [values[level > 0] for level, values in zip(levels, FACTORS.values(), strict=False)]
    words = [
        f"h^{values[0]}",
        f"grid {values[1]}",
        "L2" if values[2] == "pooled" else "",
        "T" if values[3] == "learned" else "",
    ]
    return ", ".join(word for word in [*words, PROJECTIONS[levels[4:]]] if word)


def settings_of(levels: Levels) -> dict[str, Any]:
    """The options of a cell."""
    chosen = {
        f"goodness.{name}": values[level > 0] for level, (name, values) in zip(levels, FACTORS.items(), strict=False)
    }
    return {**chosen, "goodness.projection": PROJECTIONS[levels[4:]]}


_PLACED = {"dcl": Projection(power=1, grid=1, projection="learned", temperature=20.0)}
"""A rule whose goodness is of another class: one learned table for all blocks."""


def published_cells() -> dict[Levels, list[str]]:
    """Levels -> the registered rules of one class goodness that lie there, by the nearest value of each option."""
    found: dict[Levels, list[str]] = {}
    for algo in list_algorithms():
        recipe = algorithm_spec(algo).recipe
        goodness = recipe.terms[0].goodness if recipe is not None and len(recipe.terms) == 1 else None
        goodness = _PLACED.get(algo, goodness)
        if (
            isinstance(goodness, Projection)
            and recipe is not None
            and recipe.isolation == "local"
            and recipe.train_blocks
        ):
            found.setdefault(_levels(goodness), []).append(algo)
    return found


def _levels(goodness: Projection) -> Levels:
    projection = {"orthogonal": "random", "embeddings": "random"}.get(goodness.projection, goodness.projection)
    two = next(levels for levels, name in PROJECTIONS.items() if name == projection)
    chosen = (goodness.power == 2, goodness.grid != 1, goodness.l2 != "none", goodness.temperature == "learned")
    return (*(1 if high else -1 for high in chosen), *two)


def grid(config: Comparison) -> Grid:
    """One arm a cell."""
    datasets, network, epochs, seeds, factors = SCALES[config.scale]
    arms = tuple(Arm(name, "dtg_ff", settings_of(levels)) for levels, name in cells_of(config.scale).items())
    conditions = tuple(Condition(name, name, network) for name in datasets)
    return Grid(arms, conditions, config.seeds or seeds, factors, "cnn", epochs, 64, device=config.device)


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
        f"{config.scale} scale: {len(cells)} of 64 cells, {len(design.seeds)} seeds; the learning rate of every cell "
        "was "
        f"chosen of {len(design.factors)} on the validation part.",
        "An effect is the mean of its cells at the first value less that at the second; intervals are 95 % and hold "
        "together "
        "(Holm), from the variance over seeds pooled over cells.",
        "All else is dtg_ff: layernorm between blocks, the best range of blocks predicts.",
        *(f"Left out: {line}." for line in left_out),
    ]
    return Report(
        data,
        (_effect_table(effects), *([_whole_table(whole)] if whole else []), accuracy_table(design, found)),
        (picture({name: _expected(of, cells) for name, of in means.items()}, means, published),),
        _verdicts(config, effects, best),
        tuple(notes),
        "Which option of the class goodness is worth how many points?",
        "Each published rule argues for its own choice.",
        "A small CNN, subsets, a short training. Rules that differ in more than these options are marked at the "
        "nearest "
        "cell, which is not the rule.",
    )


def _values(found: Found, condition: str, arm: str) -> list[float]:
    return [100 * cell["test_accuracy"] for _, cell in sorted(found.runs[condition][arm].items())]


def _means(found: Found, condition: str, cells: dict[Levels, str]) -> dict[Levels, float]:
    known = {levels: _values(found, condition, name) for levels, name in cells.items()}
    return {levels: statistics.fmean(values) for levels, values in known.items() if values}


def _effects(found: Found, condition: str, cells: dict[Levels, str]) -> dict[str, Gap]:
    """Nothing where a cell or a seed is missing: the contrasts would not be clear of each other."""
    seeds = {name: set(found.runs[condition][name]) for name in cells.values()}
    shared = set.intersection(*seeds.values())
    if len(shared) < 2 or any(of != shared for of in seeds.values()):
        return {}
    return factorial_effects({levels: _values(found, condition, name) for levels, name in cells.items()}, CONTRASTS)


def _expected(means: dict[Levels, float], cells: Collection[Levels]) -> dict[Levels, float]:
    """What main effects and two-way interactions make of every cell, those that were not run included.

    Nothing where one of the cells is missing: then its coefficients are no longer plain means.
    """
    if set(means) != set(cells):
        return {}
    terms = [(), *((i,) for i in range(6)), *itertools.combinations(range(6), 2)]
    weights = {
        term: statistics.fmean(math.prod(levels[i] for i in term) * value for levels, value in means.items())
        for term in terms
    }
    return {
        levels: sum(weight * math.prod(levels[i] for i in term) for term, weight in weights.items())
        for levels in itertools.product((-1, 1), repeat=6)
    }


def _best_new(found: Found, cells: dict[Levels, str], published: Collection[Levels]) -> Levels | None:
    """The cell of no registered rule that is best on the validation parts, among those run on every data set."""

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
    """All of CIFAR-10 under the recipe of E1: a cell, and dtg_ff beside it; percent."""
    _, recipe, backbone, epochs, batch_size, precision, *_ = WHOLE[config.scale]
    runs = {}
    for name, settings in ((name_of(best), settings_of(best)), ("dtg_ff", {})):
        runs[f"all of CIFAR-10: {name}"] = make_run(
            *("dtg_ff", "cifar10"),
            backbone=backbone,
            epochs=epochs,
            batch_size=batch_size,
            settings={**recipe, **settings},
            execution=Execution(precision=precision),
            device=config.device,
        )
    study.expect(len(runs))
    cells = train(study, runs, 1 if study.reads_only else workers_of(config), left_out)
    return {key: 100 * cell["test_accuracy"] for key, cell in cells.items()}


def _effect_table(effects: dict[str, dict[str, Gap]]) -> Table:
    names = [name for name in CONTRASTS if any(name in of for of in effects.values())]
    rows = tuple((name, *(written(of.get(name)) for of in effects.values())) for name in names)
    return Table("Effects, points", ("effect", *effects), rows)


def _whole_table(whole: dict[str, float]) -> Table:
    return Table("One seed under the recipe of E1", ("run", "test %"), tuple((k, f"{v:.2f}") for k, v in whole.items()))


def _verdicts(config: Comparison, effects: dict[str, dict[str, Gap]], best: Levels | None) -> tuple[str, ...]:
    word = "inconclusive" if config.scale == "smoke" else "descriptive"
    lines = []
    for name, of in effects.items():
        main = {key: gap for key, gap in of.items() if ":" in key and gap.sign}
        worth = "; ".join(f"{key} {written(gap)}" for key, gap in sorted(main.items(), key=lambda i: -abs(i[1].mean)))
        nothing = "no main effect is clear of 0" if of else "no effect is estimated, for cells or seeds are missing"
        lines.append(f"{word}: {name}: {worth or nothing}")
    if best is not None:
        lines.append(f"{word}: of the cells without a rule, the best on the validation parts is {name_of(best)}")
    return tuple(lines)
