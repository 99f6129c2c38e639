"""E10: memory and images per second of DTG-FF and backprop at equal effective batch, micro-batches allowed to both."""

from __future__ import annotations

import dataclasses
import statistics
from functools import partial
from typing import Any

import torch

from ffzoo.bench import environment, ratio
from ffzoo.plugin import Report, Study, Table, Verdict
from ffzoo_experiments.claims.options import Systems
from ffzoo_experiments.speed.arms import Arm
from ffzoo_experiments.speed.options import Speed
from ffzoo_experiments.speed.resident import peak_rss
from ffzoo_experiments.speed.steps import cost, times
from ffzoo_experiments.speed.tables import mebibytes, number

SCALES = {
    "smoke": Speed(width=4, depth=2, side=8, batch_size=8, micro_batches=(4,), rounds=3, memory_rss=False),
    "cpu": Speed(algos=("dtg_ff",), micro_batches=(64, 32, 16), compiled=False, rounds=21),
    "full": Speed(algos=("dtg_ff",), width=64, side=224, micro_batches=(64, 32, 16), compiled=False, rounds=31),
}
"""Scale -> network, batch and micro-batches."""


def e10(config: Systems, study: Study) -> Report:
    """Both sides in whole batches and in micro-batches, and each judged at its fastest."""
    speed = dataclasses.replace(SCALES[config.scale], device=config.device)
    device = torch.device("cpu") if study.reads_only else environment.resolve_device(config.device)
    environment.keep_freed_memory()
    sides = {
        algo: [Arm(algo), *(Arm(algo, "micro-batch", size) for size in speed.micro_batches)]
        for algo in ("dtg_ff", "bp")
    }
    sides["bp"].append(Arm("bp", "checkpointing"))
    arms = [arm for side in sides.values() for arm in side]
    kind = study.cell("kind of device", lambda: device.type)
    resident = speed.memory_rss and kind == "cpu"
    study.expect(3 + len(arms) * (2 if resident else 1))
    machine = study.machine(device)
    costs = {arm.name: study.cell(f"cost of {arm.name}", partial(cost, speed, arm, "fp32", device)) for arm in arms}
    rss = {
        arm.name: study.cell(f"resident memory of {arm.name}", partial(peak_rss, speed, arm, "fp32", study))
        for arm in (arms if resident else [])
    }
    seconds = study.cell("times", partial(times, speed, arms, "fp32", device))
    best = {algo: min(side, key=lambda arm: statistics.median(seconds[arm.name])).name for algo, side in sides.items()}
    accumulating = [arm.name for arm in sides["bp"] if arm.kind == "micro-batch"]
    accumulation = min(accumulating, key=lambda name: statistics.median(seconds[name]))
    rows = tuple(
        (
            arm.name,
            number(speed.batch_size / statistics.median(seconds[arm.name])),
            str(ratio(seconds[best["bp"]], seconds[arm.name])),
            mebibytes(costs[arm.name]["saved_activation_bytes"]),
            mebibytes(rss.get(arm.name)),
            mebibytes(costs[arm.name]["peak_allocated_bytes"]),
        )
        for arm in arms
    )
    columns = ("arm", "images/s", "x best bp [95 %]", "saved MiB", "resident MiB", "allocated MiB")
    data = {
        "options": dataclasses.asdict(config),
        "machine": machine,
        "costs": costs,
        "resident_bytes": rss,
        "seconds": seconds,
        "fastest": best,
    }
    return Report(
        data,
        (Table(f"A training step of {speed.batch_size} images", columns, rows),),
        (),
        _verdicts(config.scale != "smoke", best["dtg_ff"], accumulation, costs, seconds),
        (
            f"Backbone cnn, {speed.side} px, {speed.batch_size} images a step for every arm, fp32; {speed.rounds} "
            "rounds, every arm once a round; brackets hold the median of the ratios.",
            f"Fastest: {best['dtg_ff']}; {best['bp']}; with accumulation {accumulation}.",
        ),
        "At equal effective batch, does DTG-FF need more memory than backprop with accumulation, and is it slower?",
        "Yes: 7.90 GB and 138 images/s against 4.18 GB and 157 images/s on an 8 GB card (abstract of "
        "arXiv:2606.06539).",
        "Not the paper's card, network or implementation: it says what an engine for local rules can do, not what "
        "theirs does.",
    )


def _verdicts(
    conclusive: bool, ours: str, theirs: str, costs: dict[str, Any], seconds: dict[str, list[float]]
) -> tuple[str, ...]:
    speed = ratio(seconds[theirs], seconds[ours])
    on_device = costs[ours]["peak_allocated_bytes"] is not None
    measure = "peak_allocated_bytes" if on_device else "saved_activation_bytes"
    what = "memory of the device" if on_device else "saved activations"
    memory = costs[ours][measure] / costs[theirs][measure]
    slower = -speed.side
    more = (memory > 1) - (memory < 1)
    faster_words = {1: "so it is slower", -1: "so it is faster", 0: "no difference is seen"}
    memory_words = {1: "so it needs more", -1: "so it needs less", 0: "as much"}
    return (
        Verdict(
            f"{_word(slower, conclusive)}: {ours} trains at {speed} times the images per second of {theirs}"
            f"{f', {faster_words[slower]}' if conclusive else ''}; claimed: slower",
            _word(slower, conclusive),
            "a local rule is slower than backprop with accumulation",
            f"{ours} against {theirs}",
            f"{speed} times the images per second",
        ),
        Verdict(
            f"{_word(more, conclusive)}: {ours} takes {memory:.2f} times the {what} of {theirs}"
            f"{f', {memory_words[more]}' if conclusive else ''}; counted, so without an interval; claimed: more",
            _word(more, conclusive),
            "a local rule takes more memory than backprop with accumulation",
            f"{ours} against {theirs}",
            f"{memory:.2f} times the {what}, counted",
        ),
    )


def _word(sign: int, conclusive: bool) -> str:
    """Return the verdict on a claim that a sign is positive."""
    return "inconclusive" if not conclusive else {1: "reproduced", -1: "opposite", 0: "inconclusive"}[sign]
