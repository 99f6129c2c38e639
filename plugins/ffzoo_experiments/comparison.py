"""Experiments that compare arms on a grid of conditions, and judge claims."""

from __future__ import annotations

import dataclasses
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ffzoo import environment
from ffzoo.bench.grid import Found, Grid, run_grid
from ffzoo.bench.report import Report
from ffzoo.bench.statistics import interval, judge, paired_gap, trend
from ffzoo.bench.study import Study
from ffzoo_experiments.comparison_options import Comparison
from ffzoo_experiments.gap_tables import accuracy_table, gap_figures, gap_table, written


@dataclass(frozen=True)
class Claim:
    """A sign that somebody claims, of a gap or of its trend.

    Attributes:
        text: what is claimed, for the verdict's line.
        first: an arm.
        second: the arm that is subtracted from it.
        sign: claimed, of the gap or of its slope.
        over: ``"mean"`` of the gap over the conditions of a series, its ``"trend"`` against log x, or its ``"change"``
            from one condition to another.
        series: of conditions; for a change the names of the two.
    """

    text: str
    first: str
    second: str
    sign: Literal[1, -1]
    over: Literal["mean", "trend", "change"]
    series: str | tuple[str, str] = ""


@dataclass(frozen=True)
class Words:
    """What a report says around its figures."""

    question: str
    claim: str
    limits: str
    axis: str


def workers_of(config: Comparison) -> int:
    """Processes to train with: as asked, else one for each core on a CPU."""
    if config.workers:
        return config.workers
    return 1 if environment.resolve_device(config.device).type != "cpu" else (os.cpu_count() or 1)


def compare(
    config: Comparison,
    study: Study,
    grid: Grid,
    words: Words,
    pairs: Sequence[tuple[str, str]],
    claims: Sequence[Claim],
) -> Report:
    """Train the grid, and report gaps with their intervals.

    Args:
        config: the experiment's options.
        study: keeps its cells.
        grid: what is trained.
        words: question, claim, limits and the axis of the figure.
        pairs: arms whose gaps are tabulated and drawn, first minus second.
        claims: what is judged.
    """
    found = run_grid(grid, study, workers_of(config))
    sd = len(grid.seeds)
    notes = [
        f"{config.scale} scale: {sd} seeds, {_search(grid)}; brackets are 95 % intervals of the paired t distribution.",
        *(f"Left out: {line}." for line in found.left_out),
    ]
    data = {
        "options": dataclasses.asdict(config),
        "factors": found.factors,
        "runs": {c: {a: list(seeds.values()) for a, seeds in arms.items()} for c, arms in found.runs.items()},
    }
    return Report(
        data,
        (accuracy_table(grid, found), gap_table(grid, found, pairs)),
        gap_figures(grid, found, pairs, words.axis),
        tuple(_verdict(config, grid, found, claim) for claim in claims) or ("descriptive",),
        tuple(notes),
        words.question,
        words.claim,
        words.limits,
    )


def _search(grid: Grid) -> str:
    if len(grid.factors) == 1:
        return "no search, every algorithm at its own learning rate"
    tried = ", ".join(f"{f:g}" for f in grid.factors)
    return f"learning rates of {tried} times an algorithm's own tried for each arm on the validation part"


def _verdict(config: Comparison, grid: Grid, found: Found, claim: Claim) -> str:
    changed = isinstance(claim.series, tuple)
    conditions = [c for c in grid.conditions if (c.name in claim.series if changed else c.series == claim.series)]
    pair = (claim.first, claim.second)
    complete = [set(found.shared_seeds(c.name, pair)) for c in conditions]
    seeds = sorted(set.intersection(*complete)) if complete else []
    if not seeds:
        return f"inconclusive: {claim.text}: no seed has all its cells"
    gaps: dict[float, list[float]] = {}
    for number, condition in enumerate(conditions):
        first, second = (found.accuracies(condition.name, arm, seeds) for arm in pair)
        place = condition.x if claim.over == "trend" and condition.x is not None else float(number + 1)
        gaps[place] = [100 * (a - b) for a, b in zip(first, second, strict=True)]
    if claim.over == "trend":
        gap, unit = trend(gaps), "points for each factor e"
    elif claim.over == "change":
        before, after = gaps.values()
        gap, unit = paired_gap(after, before), "points"
    else:
        gap, unit = interval([statistics.fmean(of_seed) for of_seed in zip(*gaps.values(), strict=True)]), "points"
    verdict = judge(gap, claim.sign, conclusive=config.scale != "smoke")
    return f"{verdict}: {claim.text}: {written(gap)} {unit}, {gap.seeds} seeds"
