"""Measuring the steps of arms: counted cost, paired times, the ceiling of their layers."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

import torch

from ffzoo.bench import Ceilings, FFZooError, interleaved, layer_calls, step_cost, winograd
from ffzoo.plugin import Algorithm, Batch
from ffzoo_experiments.speed.arms import Arm, batch_of, build
from ffzoo_experiments.speed.options import Speed

Precision = Literal["fp32", "bf16"]
WARMUP = 3  # rounds: optimizer states, and what kernels choose on first sight
_STEPS = 3  # of a memory peak: the first one makes the optimizer's states


def cost(config: Speed, arm: Arm, precision: Precision, device: torch.device) -> dict[str, Any]:
    """Counted operations and saved activations, and on CUDA the allocator's peaks; or ``left_out`` and why."""
    try:
        algorithm, batch = build(config, arm, precision, device), batch_of(config, device)
        if arm.kind == "winograd" and not _gains(algorithm, batch):
            return {"left_out": "it is the plain arm: no CPU, or no 3x3 convolution large enough to gain"}
        counted = asdict(step_cost(algorithm, batch))
        if "compiled" in arm.kind:
            algorithm.train_step(batch)  # there may be no compiler
    except FFZooError as error:
        return {"left_out": str(error)}
    except Exception as error:
        if "compiled" not in arm.kind:
            raise
        return {"left_out": f"{type(error).__name__}: {error}".splitlines()[0]}
    if device.type != "cuda":
        return {**counted, "peak_allocated_bytes": None, "peak_reserved_bytes": None}
    algorithm.train_step(batch)  # libraries allocate workspaces once: they shall not be one arm's alone
    gc.collect()
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    for _ in range(_STEPS):
        algorithm.train_step(batch)
    torch.cuda.synchronize(device)
    return {
        **counted,
        "peak_allocated_bytes": torch.cuda.max_memory_allocated(device),
        "peak_reserved_bytes": torch.cuda.max_memory_reserved(device),
    }


def _gains(algorithm: Algorithm, batch: Batch) -> bool:
    """Whether fewer multiplications are possible in any layer."""
    plain = ((1, 1), (1, 1), (1, 1), 1)
    calls = [call for call in layer_calls(algorithm, batch) if call.layer == plain]
    return batch.x.device.type == "cpu" and any(winograd.gains(call.input, call.weight) for call in calls)


def times(config: Speed, arms: Sequence[Arm], precision: Precision, device: torch.device) -> dict[str, list[float]]:
    """Seconds of a step of every arm, by name and round."""
    batch = batch_of(config, device)
    steps = {arm.name: partial(build(config, arm, precision, device).train_step, batch) for arm in arms}
    return interleaved(steps, config.rounds, WARMUP, device)


def ceiling(
    config: Speed, arm: Arm, precision: Precision, device: torch.device, ceilings: Ceilings
) -> dict[str, Any] | None:
    """Operations and seconds of the layers of an arm's step, each run alone."""
    found = ceilings.of(build(config, arm, precision, device), batch_of(config, device))
    return None if found is None else asdict(found)
