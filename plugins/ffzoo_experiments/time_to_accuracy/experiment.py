"""Accuracy against seconds and operations: a local rule, the same network with backprop, and others, under one recipe.

Three arms come of one algorithm:

    local:          the algorithm
    twin_deepsup:   its losses without the stop-gradient between blocks (BP-DeepSup)
    twin_bp:        only the last block's losses, without the stop-gradient (plain backprop with the same readout)

All else is equal: backbone, initial weights, data order, augmentation, optimizer, schedule and epochs.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

from ffzoo.bench import (
    CheckpointError,
    RunConfig,
    RunFolder,
    StepOptions,
    configuration,
    environment,
    field_types,
    make_run,
    parse_settings,
    trained_run,
)
from ffzoo.plugin import Execution, OptionError, Report, Study
from ffzoo_experiments.time_to_accuracy.options import TimeToAccuracy
from ffzoo_experiments.time_to_accuracy.report import figures, recipe, table, verdicts

_NAMES = {"local": "{algo}", "twin_deepsup": "BP-DeepSup of {algo}", "twin_bp": "BP, readout of {algo}"}


def time_to_accuracy(config: TimeToAccuracy, study: Study) -> Report:
    """Train every arm with every seed; each finished run is a cell, and an interrupted one goes on."""
    arms = (*config.arms, *config.others)
    runs = {(seed, arm): _run(config, arm, seed) for seed in config.seeds for arm in arms}
    study.expect(1 + 2 * len(runs))
    machine = study.machine(environment.resolve_device(config.device))  # seconds of two machines are not compared
    for (_, arm), run in runs.items():
        _refuse_another(study, arm, run)
    found: dict[str, list[dict[str, Any]]] = {_name(config, arm): [] for arm in arms}
    for (seed, arm), run in runs.items():  # a whole comparison first, then the next seed
        cell = study.cell(f"{arm}, seed {seed}", partial(_train, run, arm, study))
        found[_name(config, arm)].append(cell)
    sample = runs[config.seeds[0], config.arms[0]]
    seconds = f"Seconds are of training work alone, on {environment.where(machine['hardware'])}"
    title = f"{sample.dataset}, {sample.backbone}, {sample.fit.epochs} epochs, {config.config}"
    return Report(
        data={"machine": machine, "options": dataclasses.asdict(config), "recipe": sample.to_json(), "arms": found},
        tables=(table(title, found),),
        figures=figures(title, found),
        verdicts=verdicts(found),
        notes=(recipe(sample), f"{seconds}; the test part was read once a run."),
        question="How accurate are a local rule and backprop of the same network, against seconds, under one recipe?",
    )


def _refuse_another(study: Study, arm: str, run: RunConfig) -> None:
    """Refuse a configuration file that changed since the study began.

    Raises:
        CheckpointError: it has.
    """
    key = f"{arm}, seed {run.fit.seed}: configuration"
    stored = study.cell(key, run.to_json)
    if RunConfig.from_json(stored).to_json() != run.to_json():  # one of before an option came has its default
        raise CheckpointError(f"{str(study.out)!r} was begun with another {key}; expected another folder")


def _name(config: TimeToAccuracy, arm: str) -> str:
    return _NAMES.get(arm, arm).format(algo=config.algo)


def _run(config: TimeToAccuracy, arm: str, seed: int) -> RunConfig:
    """Return the resolved run of an arm; an arm that is no part of the triple is an algorithm of its own."""
    said, settings = configuration.read(config.config)
    own = {**settings, **parse_settings(config.settings)}
    shared = {key: value for key, value in own.items() if key.partition(".")[0] in ("fit", "backbone", "data")}
    how = {name: value for name, value in said.items() if name in field_types(StepOptions)}
    if config.precision:
        how["precision"] = config.precision
    if how.get("precision", "fp32") != "fp32":
        how.pop("convolution", None)
    triple = arm in _NAMES
    run = make_run(
        config.algo if triple else arm,
        config.dataset or said.get("dataset", "cifar10"),
        backbone=said.get("backbone"),
        epochs=config.epochs or said.get("epochs"),
        batch_size=said.get("batch_size"),
        seed=seed,
        settings=own if triple else shared,
        execution=Execution(**how),
        device=config.device,
    )
    recipe = run.algorithm.recipe
    if arm in ("twin_deepsup", "twin_bp"):
        if recipe is None or recipe.isolation != "local":
            raise OptionError(f"algo is {config.algo!r}, which is no recipe with isolation local; expected one")
        recipe = recipe.replace(isolation="none")
        if arm == "twin_bp":
            terms = tuple(dataclasses.replace(term, blocks="last") for term in recipe.terms)
            recipe = recipe.replace(terms=terms, fusion="last")
        run = dataclasses.replace(run, algorithm=dataclasses.replace(run.algorithm, config=recipe))
    return run


def _train(run: RunConfig, arm: str, study: Study) -> dict[str, Any]:
    folder = None if study.out is None else study.out / "runs" / f"{arm}-s{run.fit.seed}"
    result = trained_run(run, folder, curves=True, progress=study.shows)
    epochs = [] if folder is None else RunFolder(folder).metrics()
    return {
        "seed": run.fit.seed,
        "test_accuracy": result.test_accuracy,
        "per_block_accuracy": result.per_block_accuracy,
        "validation_accuracy": result.validation_accuracy,
        "train_seconds": result.train_seconds,
        "train_flops": result.train_flops,
        "saved_activation_bytes": result.saved_activation_bytes,
        "peak_memory_bytes": result.peak_memory_bytes,
        "strictly_local": result.strictly_local,
        "blocks": result.blocks,
        "max_weight_layers_per_block": result.max_weight_layers_per_block,
        "curve": [
            {key: epoch.get(key) for key in ("train_seconds", "train_flops", "validation_accuracy")} for epoch in epochs
        ],
    }
