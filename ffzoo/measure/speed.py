"""The micro-batch that trains fastest here, measured."""

from __future__ import annotations

import copy
import dataclasses
import statistics

import torch

from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.batch import Batch
from ffzoo.training.fit import Stopwatch

SMALLEST = 8
"""Samples: below it no cache is small enough to pay for the calls."""


def fastest_micro_batch(algorithm: Algorithm, batch: Batch, rounds: int = 5) -> int:
    """Time a step at the whole batch and at its halves, by turns, and choose by the median.

    The algorithm itself and the random state stay as they are.

    Args:
        algorithm: how it runs otherwise is kept.
        batch: of the size that will be trained with.
        rounds: timed steps of each size.

    Returns:
        Samples forwarded at once; 0 for the whole batch.

    Raises:
        OptionError: micro-batches would learn something else.
    """
    twin = copy.deepcopy(algorithm)
    if twin.execution.compile:  # a copy is not compiled
        twin.run_as(twin.execution)
    sizes = [0]
    while (size := len(batch.y) // 2 ** len(sizes)) >= SMALLEST:
        sizes.append(size)
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    with torch.random.fork_rng(devices=[]):
        for turn in range(rounds + 1):
            for size in sizes:
                twin.execution = dataclasses.replace(twin.execution, micro_batch=size)
                watch = Stopwatch()
                watch.run(lambda: twin.train_step(batch), 0, batch.y.device)
                if turn:  # the first round warms up
                    seconds[size].append(watch.total)
    return min(sizes, key=lambda size: statistics.median(seconds[size]))
