"""What the checks of parts share: how a case is drawn, built and compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ffzoo.errors import RecipeError
from ffzoo.measure.locality import same_bits
from ffzoo.testing.strategies import Case, seeded
from ffzoo.testing.subjects import Refused

MAPS = ("cnn", "vectors")
"""Draws for parts: features of images and flat ones."""


def generator_of(case: Case) -> torch.Generator:
    """Return the random numbers of this case."""
    return torch.Generator().manual_seed(case.seed)


def feature_shape(case: Case) -> tuple[int, ...]:
    """Return the features of a block in this case."""
    return (case.width,) if case.backbone == "vectors" else (case.width, *case.shape[1:])


def build_or_refuse(case: Case, make: Callable[[], Any]) -> Any:
    """Return what ``make`` builds; if the part refuses the case, the check does not apply."""
    try:
        with seeded(case.seed):
            return make()
    except RecipeError as error:
        raise Refused(str(error)) from error


def permuted_rows(rows: int, case: Case) -> Tensor:
    """Return an order of the rows."""
    return torch.randperm(rows, generator=generator_of(case))


def some_rows(case: Case) -> Tensor:
    """Return half of the rows in another order: a row that depends on the rest of its batch differs."""
    return permuted_rows(case.batch_size, case)[: case.batch_size // 2]


def close(a: Tensor, b: Tensor) -> bool:
    """Return whether tensors are equal up to the rounding of float32."""
    scale = float(b.detach().abs().max())
    return torch.allclose(a, b, rtol=1e-4, atol=1e-5 * (1 + scale))


def pure(part: nn.Module, function: Callable[..., Any], inputs: list[Tensor], case: Case) -> Any:
    """Return the result, after two equal calls that changed neither the inputs nor the part."""
    kept, state = [x.clone() for x in inputs], {k: v.clone() for k, v in part.state_dict().items()}
    results = []
    for _ in range(2):
        part.load_state_dict(state)  # a part may keep something of every batch it is trained on
        with seeded(case.seed):
            results.append(function(*inputs))
        assert all(map(same_bits, kept, inputs)), "it changes its input in place"
    first, second = (r if isinstance(r, tuple) else (r,) for r in results)
    assert all(map(same_bits, first, second)), "the same input and seed gave two results"
    changed = [k for k, v in part.state_dict().items() if not same_bits(v, state[k])]
    assert not changed or part.training, f"it changes {', '.join(changed)} in evaluation"
    return results[0]
