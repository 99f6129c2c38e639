"""The design of ``e13``: six factors of two levels, which cells are run, and which registered rules lie where."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Collection
from typing import Any

from ffzoo.bench import algorithm_spec, list_algorithms
from ffzoo.plugin import Projection

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


def expected(means: dict[Levels, float], cells: Collection[Levels]) -> dict[Levels, float]:
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
