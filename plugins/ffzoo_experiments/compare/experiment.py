"""``compare``: anyone's own comparison, with a paragraph of methods, a LaTeX table and the references."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import torch

from ffzoo import Batch
from ffzoo.bench import (
    Claim,
    FFZooError,
    Found,
    Part,
    Preprocess,
    RunConfig,
    Words,
    build_algorithm,
    compare,
    parse_settings,
    planned,
    rate_factors,
    read_data,
    step_cost,
)
from ffzoo.plugin import Arm, Condition, Grid, OptionError, Report, Study
from ffzoo_experiments.compare.options import Own
from ffzoo_experiments.compare.writing import latex, methods, references


def compare_own(config: Own, study: Study) -> Report:
    """Return the first algorithm against each of the others.

    Raises:
        OptionError: a setting that would be one algorithm's alone.
    """
    settings = parse_settings(config.settings)
    for key in settings:
        if key.partition(".")[0] not in ("fit", "backbone", "data"):
            raise OptionError(
                f"settings has {key}, an option of one algorithm; expected options of fit, backbone or data"
            )
    arms = tuple(Arm(name, name) for name in config.algos)
    conditions = tuple(Condition(name, name, settings) for name in config.datasets)
    grid = Grid(
        *(arms, conditions, config.seeds, rate_factors(config.trials), config.backbone or None, config.epochs),
        device=config.device,
    )
    if config.match == "flops":
        grid = _at_equal_operations(grid, study)
    pairs = [(config.algos[0], other) for other in config.algos[1:]]
    claims = tuple(
        Claim(first, second, 1, "mean", (dataset,), made=False)
        for dataset in config.datasets
        for first, second in pairs
    )
    words = Words(
        question=f"How does {config.algos[0]} compare with {', '.join(config.algos[1:])}?",
        claim=f"{config.algos[0]} is ahead (a hypothesis).",
        limits="One network, one schedule and one search for all; other budgets may order the algorithms otherwise.",
        axis="data set",
    )

    def files(found: Found) -> dict[str, str]:
        return {
            "-methods.txt": methods(config, grid, found),
            ".tex": latex(config, found),
            ".bib": references(config),
        }

    return compare(config, study, grid, words, pairs, claims, files=files)


def _at_equal_operations(grid: Grid, study: Study) -> Grid:
    """Epochs so that all arms train with as many operations, as nearly as whole epochs allow.

    The cheapest has the epochs asked for. An arm that its network refuses has none, and is named when the grid is run.
    """
    study.expect(len(grid.conditions) * len(grid.arms))
    matched: dict[str, dict[str, int]] = {}
    for condition in grid.conditions:
        costs: dict[str, int] = {}
        epochs = 0
        for arm in grid.arms:
            run = planned(grid, condition, arm, grid.seeds[0], 1.0, False)
            key = f"{condition.name}, {arm.name}: operations"
            cell = study.cell(key, partial(_operations, run.to_json()))
            if "flops" in cell:
                costs[arm.name], epochs = cell["flops"], run.fit.epochs
        cheapest = min(costs.values(), default=1)
        matched[condition.name] = {name: max(1, round(epochs * cheapest / cost)) for name, cost in costs.items()}
    return dataclasses.replace(grid, matched_epochs=matched)


def _operations(config: dict[str, Any]) -> dict[str, Any]:
    """Of one step at the batch size of a run; or ``refused`` and why."""
    run = RunConfig.from_json(config)
    data = read_data(run)
    try:
        algorithm = build_algorithm(run, data.shape, data.num_classes, torch.device("cpu"))
    except FFZooError as error:
        return {"refused": str(error)}
    first = next(iter(Part(data.train, Preprocess(data.mean, data.std), run.fit.batch_size)))
    return {"flops": step_cost(algorithm, Batch(first.x, first.y, generator=torch.Generator().manual_seed(0))).flops}
