"""``speed``: what a training step costs in time and memory, for every way to run it.

All arms train on the same random images with the same batch size, and are timed in turn, one step of each a round;
what is compared are medians of the ratios within rounds. Saved activations and operations are counted, not timed.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any

import torch

from ffzoo.bench import Ceilings, copy_bandwidth, environment, ratio, to_json
from ffzoo.plugin import OptionError, Report, Study
from ffzoo_experiments.speed.arms import Arm, arms_of
from ffzoo_experiments.speed.figures import figures
from ffzoo_experiments.speed.options import Speed
from ffzoo_experiments.speed.resident import peak_rss
from ffzoo_experiments.speed.results import ArmResult, Findings, ScaleResult
from ffzoo_experiments.speed.scaling import cells, scaling
from ffzoo_experiments.speed.steps import Precision, ceiling, cost, times
from ffzoo_experiments.speed.tables import notes, tables
from ffzoo_experiments.speed.verdicts import verdicts

SCHEMA_VERSION = 1


def speed(config: Speed, study: Study) -> Report:
    """Measure, and report.

    Args:
        config: the options.
        study: keeps what is measured.

    Raises:
        FFZooError: an unknown name, a device that is not there, or a reference that cannot be built.
    """
    arms = arms_of(config)
    device = environment.resolve_device(config.device)
    environment.keep_freed_memory()  # for all arms alike
    layers = {(arm.algo, arm.micro_batch) for arm in arms}
    steps = sum(arm.runs_in(precision) for arm in arms for precision in config.precisions)
    of_arms = steps * (2 if _measures_rss(config, device) else 1) + len(config.precisions) * (len(layers) + 1)
    study.expect(2 + of_arms + (cells(config) if config.scaling else 0))

    machine = study.machine(device)
    bandwidth = study.cell("copy bandwidth", partial(copy_bandwidth, device))
    found: list[ArmResult] = []
    left_out: dict[str, str] = {}
    if not any(arm.kind.startswith("bare") for arm in arms):
        left_out["plain PyTorch"] = "it is written for bp on the backbone cnn"
    ceilings = Ceilings(device)
    for precision in config.precisions:
        runs = [arm for arm in arms if arm.runs_in(precision)]
        results, missing = _measured(config, runs, precision, device, study, ceilings)
        found += results
        left_out |= missing
    sizes: list[ScaleResult] = []
    if config.scaling:
        sizes, missing = scaling(config, device, study)
        left_out |= missing
    findings = Findings(config, machine, bandwidth, found, sizes, left_out)
    return Report(
        data={"schema_version": SCHEMA_VERSION, **to_json(findings), "growth": findings.growth()},
        tables=tables(findings),
        figures=figures(findings),
        verdicts=verdicts(findings),
        notes=notes(findings),
        question="How fast is a training step, and how much memory does it take, run in each way?",
    )


def _measures_rss(config: Speed, device: torch.device) -> bool:
    return config.memory_rss and device.type == "cpu"


def _measured(
    config: Speed, arms: list[Arm], precision: Precision, device: torch.device, study: Study, ceilings: Ceilings
) -> tuple[list[ArmResult], dict[str, str]]:
    """All arms in one precision, and what was left out and why."""
    costs: dict[Arm, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for arm in arms:
        counted = study.cell(f"{precision}: cost of {arm.name}", partial(cost, config, arm, precision, device))
        if "left_out" in counted:
            left_out[arm.name] = counted["left_out"]
        else:
            costs[arm] = counted
    if arms[0].name in left_out:
        raise OptionError(f"the reference {config.reference!r} cannot be measured: {left_out[arms[0].name]}")
    seconds = study.cell(f"{precision}: times", partial(times, config, list(costs), precision, device))
    reference = arms[0]
    results = []
    for arm, counted in costs.items():
        rss = None
        if _measures_rss(config, device) and "compiled" not in arm.kind:  # the compiler's own memory would count
            key = f"{precision}: resident memory of {arm.name}"
            rss = study.cell(key, partial(peak_rss, config, arm, precision, study))
        # The layers are those of the algorithm, however it is run.
        plain = Arm(arm.algo, "micro-batch" if arm.micro_batch else "plain", arm.micro_batch)
        key = f"{precision}: ceiling of {plain.name}"
        alone = study.cell(key, partial(ceiling, config, plain, precision, device, ceilings))
        middle = statistics.median(seconds[arm.name])
        most = None if alone is None else alone["flops"] / alone["seconds"]
        results.append(
            ArmResult(
                precision,
                arm.name,
                arm.algo,
                arm.kind,
                arm.micro_batch,
                images_per_second=config.batch_size / middle,
                ratio=ratio(seconds[reference.name], seconds[arm.name]),
                seconds=seconds[arm.name],
                saved_ratio=counted["saved_activation_bytes"] / costs[reference]["saved_activation_bytes"],
                peak_rss_bytes=rss,
                ceiling_flops_per_second=most,
                # The ceiling is that of direct convolutions.
                utilisation=None if most is None or arm.kind == "winograd" else counted["flops"] / middle / most,
                **counted,
            )
        )
    return results, left_out
