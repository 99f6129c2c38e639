"""Saved activations and floating-point operations of one training step, counted, not timed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.batch import Batch
from ffzoo.kernels.kept import saved_activations
from ffzoo.measure.copying import copy_of


@dataclass(frozen=True)
class StepCost:
    """Cost of one training step.

    Attributes:
        saved_activation_bytes: peak bytes kept for a later backward.
        flops: floating-point operations of matrix products and convolutions, forward and backward.
    """

    saved_activation_bytes: int
    flops: int


def step_cost(algorithm: Algorithm, batch: Batch) -> StepCost:
    """Measure one step on a copy; the algorithm itself and the random state stay as they are."""
    twin = copy_of(algorithm)
    with torch.random.fork_rng(devices=[]), saved_activations(twin) as peak, FlopCounterMode(display=False) as flops:
        twin.train_step(batch)
    return StepCost(peak.bytes, flops.get_total_flops())
