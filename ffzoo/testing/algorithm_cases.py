"""What the checks of algorithms share: a step, a state, and whether two are equal."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.options import FitOptions
from ffzoo.data.batch import Batch
from ffzoo.measure.locality import same_bits, state_of
from ffzoo.testing.strategies import Case, Toy, seeded
from ffzoo.testing.subjects import SkipCheck

LR = 0.01


def sgd(case: Case) -> FitOptions:
    """Return options for plain gradient descent: an update is the gradient times the learning rate."""
    return FitOptions(lr=LR, optimizer="sgd", weight_decay=0.0, schedule="constant", seed=case.seed)


def losses_of(algorithm: Algorithm, batch: Batch, seed: int = 0) -> list[Tensor]:
    """Return the losses of a step.

    Raises:
        SkipCheck: the rule has none.
    """
    with seeded(seed):
        losses = algorithm.losses(batch)
    if losses is None:
        raise SkipCheck("the rule's credit is not the gradient of a loss")
    return losses


def train(algorithm: Algorithm, case: Case, steps: Iterable[int], dtype: torch.dtype = torch.float32) -> None:
    """Train some steps, each on the batch of its number."""
    for step in steps:
        with seeded(case.seed + step):
            algorithm.train_step(case.batch(step, dtype))


def fit_readout(algorithm: Algorithm, case: Case) -> None:
    """Let an algorithm predict: fit what is fitted after training, such as a probe, on a toy set."""
    if not algorithm.fitted:
        toy = Toy(case.shape, case.num_classes, steps=1)
        algorithm.finish(toy, toy)


def snapshot(algorithm: Algorithm) -> dict[str, Tensor]:
    """Return a copy of everything that a checkpoint would hold."""
    return {key: value.detach().clone() for key, value in state_of(algorithm).items()}


def assert_same_bits(a: dict[str, Tensor], b: dict[str, Tensor], what: str) -> None:
    """Return whether two states are equal bit by bit."""
    assert a.keys() == b.keys(), f"{what}: {sorted(a.keys() ^ b.keys())} are only in one of the two states"
    differing = [key for key in a if not same_bits(a[key], b[key])]
    assert not differing, f"{what}: {', '.join(differing[:3])} differ"


def assert_close(a: dict[str, Tensor], b: dict[str, Tensor], what: str) -> None:
    """Return whether two states are equal except for the rounding of float64, carried through a few steps."""
    assert a.keys() == b.keys(), f"{what}: {sorted(a.keys() ^ b.keys())} are only in one of the two states"
    for key in a:
        if not torch.allclose(a[key].double(), b[key].double(), rtol=1e-7, atol=1e-9, equal_nan=True):
            gap = (a[key].double() - b[key].double()).abs().max()
            raise AssertionError(f"{what}: {key} differs by up to {gap:.1e}")
