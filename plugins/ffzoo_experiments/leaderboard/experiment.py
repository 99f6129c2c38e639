"""The leaderboard: every algorithm on small data, at one budget and with the same search.

For each algorithm and data set a few learning rates are tried, multiples of the algorithm's own; validation accuracy
chooses, with one seed and without a look at the test set. The chosen one is trained with every seed and tested once
a run. Networks and epochs are the same for all, and small on purpose: this ranks nothing at the scale of the papers.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

from ffzoo.bench import (
    ZOO,
    DivergedError,
    FFZooError,
    RunConfig,
    environment,
    list_algorithms,
    make_run,
    to_json,
    trained_run,
)
from ffzoo.plugin import DataError, Report, Study
from ffzoo_experiments.leaderboard.options import Zoo
from ffzoo_experiments.leaderboard.report import figures, floor, tables, verdicts

BUDGETS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "digits": ("mlp", 40, {"backbone.width": 200}),
    "mnist": ("mlp", 5, {"backbone.width": 500, "data.train_size": 10000}),
    "fashion_mnist": (
        *("cnn", 2),
        {"backbone.width": 16, "backbone.depth": 4, "data.train_size": 10000, "fit.batch_size": 32},
    ),
}
"""Data set -> backbone, epochs and further options, small enough for two cores; another data set gets its defaults."""


def zoo(config: Zoo, study: Study) -> Report:
    """Search and train cell by cell; what refuses a data set says so in its cell."""
    algos = config.algos or tuple(list_algorithms())
    for algo in algos:
        ZOO["algorithms"].get(algo)
    study.expect(1 + len(algos) * len(config.datasets) * (len(config.factors) + len(config.seeds)))
    machine = study.machine(environment.resolve_device(config.device))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for dataset in config.datasets:
        for algo in algos:
            found.setdefault(algo, {})[dataset] = _one(config, study, algo, dataset)
    notes = [
        f"Learning rates tried a data set and algorithm: {', '.join(f'{f:g}' for f in config.factors)} times the "
        f"algorithm's own, with seed {config.seeds[0]}; the validation part chose.",
        *(f"{dataset}: {_budget(config, dataset)}." for dataset in config.datasets),
        *floor(found),
    ]
    data = {"machine": machine, "options": dataclasses.asdict(config), "found": found}
    question = "How accurate is every algorithm under one budget and one search?"
    return Report(data, tables(found), figures(found), verdicts(found), tuple(notes), question)


def _one(config: Zoo, study: Study, algo: str, dataset: str) -> dict[str, Any]:
    """Return the search's result and one run per seed."""
    trials = []
    for factor in config.factors:
        run = partial(_run, config, algo, dataset, config.seeds[0], factor, True)
        trials.append(study.cell(f"{dataset}, {algo}: rate x {factor:g}", partial(_train, run)))
    scores = [trial.get("accuracy", -1.0) for trial in trials]
    if max(scores) < 0:
        return {"refused": trials[0]["refused"], "trials": trials}
    factor = config.factors[scores.index(max(scores))]
    runs = []
    for seed in config.seeds:
        run = partial(_run, config, algo, dataset, seed, factor, False)
        runs.append(study.cell(f"{dataset}, {algo}: seed {seed}", partial(_train, run)))
    return {"factor": factor, "trials": trials, "runs": runs}


def _run(config: Zoo, algo: str, dataset: str, seed: int, factor: float, search: bool) -> RunConfig:
    backbone, epochs, settings = BUDGETS.get(dataset, (None, None, {}))
    settings = dict(settings)
    if config.train_size is not None:
        settings["data.train_size"] = config.train_size
    if search:
        settings["data.test"] = "validation"
    run = make_run(
        algo,
        dataset,
        backbone=backbone,
        epochs=config.epochs or epochs,
        seed=seed,
        settings=settings,
        device=config.device,
    )
    return dataclasses.replace(run, fit=dataclasses.replace(run.fit, lr=factor * run.fit.lr))


def _train(make: Any) -> dict[str, Any]:
    """Return what a run reached, or why it could not be made.

    Raises:
        DataError: the data are missing: that is no refusal of the algorithm's.
    """
    try:
        run = make()
        result = trained_run(run)
    except DataError:
        raise
    except DivergedError as error:
        return {"refused": f"diverged: {error}"}
    except FFZooError as error:
        return {"refused": str(error)}
    return {
        "accuracy": result.test_accuracy,
        "per_block_accuracy": result.per_block_accuracy,
        "lr": run.fit.lr,
        "isolation": result.isolation,
        "coupling": result.coupling,
        "strictly_local": result.strictly_local,
        "blocks": result.blocks,
        "train_seconds": result.train_seconds,
        "test_reads": result.test_reads,
    }


def _budget(config: Zoo, dataset: str) -> str:
    run = _run(config, "bp", dataset, 0, 1.0, False)
    network = ", ".join(f"{key} {value}" for key, value in to_json(run.backbone_config).items())
    size = run.data.train_size
    images = "all training images" if size is None else f"{size:,} training images"
    return f"{run.backbone} ({network}), {run.fit.epochs} epochs of {images}, batch {run.fit.batch_size}"
