"""Experiments that compare arms on a grid of conditions, and judge claims."""

from __future__ import annotations

import dataclasses
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from ffzoo.bench.claims import Claim, Words, verdict
from ffzoo.bench.gap_tables import accuracy_table, gap_figures, gap_table
from ffzoo.bench.grid import Condition, Found, Grid, run_grid
from ffzoo.bench.report import Figure, Report, Table
from ffzoo.bench.study import NOT_COMPUTED, Study
from ffzoo.errors import OptionError
from ffzoo.measure.statistics import Gap, interval, paired_gap, trend
from ffzoo.run import environment


class Trains(Protocol):
    """Options of an experiment that trains a grid: :class:`~ffzoo.bench.options.Comparison`, or a dataclass like it."""

    @property
    def workers(self) -> int:
        """Processes that train side by side; 0 for one per core."""
        ...

    @property
    def device(self) -> str:
        """``auto``, ``cpu``, ``cuda`` or ``mps``."""
        ...


def workers_of(config: Trains) -> int:
    """Return the number of processes to train with: as asked, else one per core on a CPU."""
    on_cpu = environment.resolve_device(config.device).type == "cpu"  # asks for it even where nothing hangs on it
    return config.workers or ((os.cpu_count() or 1) if on_cpu else 1)


def compare(
    config: Trains,
    study: Study,
    grid: Grid,
    words: Words,
    pairs: Sequence[tuple[str, str]],
    claims: Sequence[Claim],
    more: Callable[[Grid, Found], tuple[tuple[Table, ...], tuple[Figure, ...]]] | None = None,
    beside: str = "",
    files: Callable[[Found], Mapping[str, str]] | None = None,
) -> Report:
    """Train the grid, and report gaps with their intervals.

    Args:
        config: the experiment's options.
        study: keeps its cells.
        grid: what is trained.
        words: question, claim, limits and the axis of the figure.
        pairs: arms whose gaps are tabulated and drawn, first minus second.
        claims: what is judged.
        more: further tables and figures.
        beside: see :class:`ffzoo.bench.report.Report`.
        files: further files of the report, by the end of their name.

    Raises:
        OptionError: a claim is of conditions that the grid does not have.
    """
    for claim in claims:  # before anything is trained
        _conditions_of(grid, claim)
    found = run_grid(grid, study, 1 if study.reads_only else workers_of(config))
    scale: str = getattr(config, "scale", "")
    notes = [
        f"{scale and scale + ' scale: '}{len(grid.seeds)} seeds, {_search(grid)}; brackets are 95 % intervals of the "
        "paired t distribution.",
        *_at_an_end(grid, found),
        *_left_out(found.left_out),
    ]
    data = {
        "options": dataclasses.asdict(cast(Any, config)),
        "factors": found.factors,
        "runs": {c: {a: list(seeds.values()) for a, seeds in arms.items()} for c, arms in found.runs.items()},
    }
    tables, pictures = more(grid, found) if more is not None else ((), ())
    return Report(
        data,
        (accuracy_table(grid, found), gap_table(grid, found, pairs), *tables),
        (*gap_figures(grid, found, pairs, words.axis), *pictures),
        tuple(_verdict(scale, grid, found, claim, words.axis) for claim in claims if _begun(grid, found, claim))
        or ("descriptive",),
        tuple(notes),
        words.question,
        words.claim,
        words.limits,
        beside,
        files(found) if files is not None else {},
    )


def _search(grid: Grid) -> str:
    if len(grid.factors) == 1:
        return "no search, every algorithm at its own learning rate"
    tried = ", ".join(f"{f:g}" for f in grid.factors)
    seed = f"with seed {grid.seeds[0]} on the validation part"
    return f"learning rates of {tried} times an algorithm's own tried for each arm {seed}"


def _at_an_end(grid: Grid, found: Found) -> list[str]:
    """Return a note where an arm might do better beyond the rates that were tried."""
    lines = []
    for word, end in (("smallest", min(grid.factors)), ("largest", max(grid.factors))) if len(grid.factors) > 1 else ():
        at = [f"{c} {arm}" for c, arms in found.factors.items() for arm, factor in arms.items() if factor == end]
        lines += [f"The {word} rate tried was the best for {'; '.join(at)}."] if at else []
    return lines


def _conditions_of(grid: Grid, claim: Claim) -> list[Condition]:
    named = isinstance(claim.series, tuple)
    chosen = [c for c in grid.conditions if (c.name in claim.series if named else c.series == claim.series)]
    if not chosen:
        known = ", ".join(repr(c.name if named else c.series) for c in grid.conditions)
        what = f"{claim.first} against {claim.second}"
        raise OptionError(f"{what!r} is claimed of {claim.series!r}, but the grid has {known}")
    return chosen


def _left_out(lines: Sequence[str]) -> list[str]:
    """Return a note for each cell that is wrong, and one for all that are not there yet."""
    missing = [cell for line in lines if (cell := line.removesuffix(f": {NOT_COMPUTED}")) != line]
    notes = [f"Left out: {line}." for line in lines if not line.endswith(f": {NOT_COMPUTED}")]
    if missing:
        more = f" and {len(missing) - 1} cells more" if len(missing) > 1 else ""
        notes.append(f"Not computed yet: {missing[0]}{more}.")
    return notes


def _begun(grid: Grid, found: Found, claim: Claim) -> bool:
    """Return whether both arms of a claim have cells of all its conditions."""
    runs = [found.runs[condition.name] for condition in _conditions_of(grid, claim)]
    return all(of_condition[arm] for of_condition in runs for arm in (claim.first, claim.second))


def _verdict(scale: str, grid: Grid, found: Found, claim: Claim, axis: str) -> str:
    conditions = _conditions_of(grid, claim)
    gap = _gap_of_claim(found, claim, conditions)
    epochs = "" if grid.epochs is None else f"{grid.epochs} epochs"
    training = ", ".join(filter(None, (scale and f"{scale} scale", grid.backbone, epochs)))
    return verdict(claim, gap, [condition.name for condition in conditions], axis, scale != "smoke", training)


def _gap_of_claim(found: Found, claim: Claim, conditions: Sequence[Condition]) -> Gap | None:
    """Return what was measured of a claim, in points; None where no seed has all its cells."""
    pair = (claim.first, claim.second)
    seeds = sorted(set.intersection(*(set(found.shared_seeds(c.name, pair)) for c in conditions)))
    if not seeds:
        return None
    gaps: dict[float, list[float]] = {}
    for number, condition in enumerate(conditions):
        first, second = ([claim.value(found.runs[condition.name][arm][seed]) for seed in seeds] for arm in pair)
        place = condition.x if claim.over == "trend" and condition.x is not None else float(number + 1)
        gaps[place] = [100 * (a - b) for a, b in zip(first, second, strict=True)]
    if claim.over == "trend":
        return trend(gaps)
    if claim.over == "change":
        before, after = gaps.values()
        return paired_gap(after, before)
    return interval([statistics.fmean(of_seed) for of_seed in zip(*gaps.values(), strict=True)])
