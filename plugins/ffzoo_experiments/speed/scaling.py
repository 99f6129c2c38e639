"""``speed`` at other sizes: the first algorithm and the reference along depth, width, batch size and resolution."""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any

import torch

from ffzoo.bench import backbone_config, ratio
from ffzoo.plugin import Study
from ffzoo_experiments.speed.arms import Arm, changed, is_local, settings_of
from ffzoo_experiments.speed.options import Speed
from ffzoo_experiments.speed.results import ScaleResult
from ffzoo_experiments.speed.steps import Precision, cost, times

SIZES = {
    "depth": (4, 8, 16, 32),
    "width": (16, 32, 64),
    "batch": (32, 128, 512),
    "resolution": (32, 64, 96),
}


def timed_arms(config: Speed) -> list[Arm]:
    """The algorithm and the reference, whole batches."""
    return [Arm(config.algos[0]), Arm(config.reference)]


def counted_arms(config: Speed) -> list[Arm]:
    """The arms whose saved activations are counted along the depth."""
    algo, reference = config.algos[0], config.reference
    sizes = config.micro_batches
    middle = sizes[len(sizes) // 2 : len(sizes) // 2 + 1]
    arms = [Arm(reference), *(Arm(reference, "micro-batch", size) for size in middle), Arm(reference, "checkpointing")]
    arms += [Arm(algo, "all at once")] if is_local(algo) else []
    return [*arms, Arm(algo), *(Arm(algo, "micro-batch", size) for size in middle)]


def cells(config: Speed) -> int:
    """How many cells :func:`scaling` asks for; sizes that two axes share are counted twice."""
    return sum(map(len, SIZES.values())) * len(timed_arms(config)) * 2


def scaling(config: Speed, device: torch.device, study: Study) -> tuple[list[ScaleResult], dict[str, str]]:
    """Measure every size, in the first precision.

    Returns:
        The sizes, and what was left out and why.
    """
    found: list[ScaleResult] = []
    left_out: dict[str, str] = {}
    options = backbone_config(config.backbone, settings_of(config))
    for axis, values in SIZES.items():
        if axis in ("depth", "width") and not hasattr(options, axis):
            left_out[f"scaling of the {axis}"] = f"the backbone {config.backbone} has no option of that name"
            continue
        for value in values:
            size = changed(config, axis, value)
            measured = _measured(size, axis, config, device, study)
            if isinstance(measured, str):
                left_out[f"{axis} {value}"] = measured
            else:
                found.append(ScaleResult(axis, value, **measured))
    return found, left_out


def _measured(size: Speed, axis: str, config: Speed, device: torch.device, study: Study) -> dict[str, Any] | str:
    """One size, or why there is none."""
    precision: Precision = config.precisions[0]
    options = backbone_config(size.backbone, settings_of(size))
    where = ", ".join(
        [f"{name} {getattr(options, name)}" for name in ("depth", "width") if hasattr(options, name)]
        + [f"batch {size.batch_size}", f"{size.side} px"]
    )
    saved: dict[str, int] = {}
    timed = timed_arms(config)
    for arm in counted_arms(config) if axis == "depth" else timed:
        found = study.cell(f"{where}: cost of {arm.name}", partial(cost, size, arm, precision, device))
        if "left_out" not in found:
            saved[arm.name] = found["saved_activation_bytes"]
        elif arm in timed:
            return str(found["left_out"])
    seconds = study.cell(f"{where}: times", partial(times, size, timed, precision, device))
    first, second = (seconds[arm.name] for arm in timed)
    return {
        "ratio": ratio(second, first),
        "images_per_second": {name: size.batch_size / statistics.median(values) for name, values in seconds.items()},
        "saved_activation_bytes": saved,
    }
