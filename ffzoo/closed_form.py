"""Learning without autograd: what one block does in a step, as a function of tensors.

Of a block that is one layer and a ReLU, with one goodness whose gradient is known, only the gradient of the layer's
weights is left to compute: half of what the layer costs backprop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ffzoo.backbones.base import as_written, full_precision
from ffzoo.measure.kept import keep
from ffzoo.parts.base import Context, Goodness, LocalLoss

if TYPE_CHECKING:
    from ffzoo.engine import RecipeAlgorithm

_BLOCKS = 256  # compiled shapes


@dataclass
class Learned:
    """What a block learned from a batch, and what it hands on.

    Attributes:
        passed: what the next block reads.
        counted: stands for ``passed`` in what is counted as kept.
        fused: what the fusion keeps of the features.
        scores: of each view.
        loss: of the block.
        of_block: gradients of the block's parameters, in their order.
        of_goodness: gradients of the goodness's parameters, by name.
    """

    passed: Tensor
    counted: object
    fused: Tensor | None
    scores: tuple[Tensor, ...]
    loss: Tensor
    of_block: list[Tensor]
    of_goodness: dict[str, Tensor]


def learn_block(
    algorithm: RecipeAlgorithm,
    goodness: Goodness,
    loss: LocalLoss,
    given: list[tuple[Tensor, object]],
    ctx: Context,
    views: int,
    neutral: int,
    factor: float,
    weight: float,
) -> Learned:
    """The closed form of one block: a function of tensors, so that it can be compiled.

    It takes its input out of ``given``, to drop it as soon as the gradient of the weights is there.
    """
    x, counted = given.pop()
    backbone, l = algorithm.backbone, ctx.block
    out = backbone.block(l, x)
    counted_out = keep(out)
    with algorithm._full_precision():
        h = backbone.features(l, out)
        parts = h.chunk(views) if views > 1 else (h,)
        fused = None
        if algorithm.fusion_head.reads == "features":
            fused = algorithm.fusion_head.feature(l, full_precision(parts[neutral]))
        scored = [goodness.scored(part, ctx) for part in parts[: len(ctx.signs)]]
        counted_scored = [keep(t) for _, kept in scored for t in pytree.tree_leaves(kept) if isinstance(t, Tensor)]
        scores = tuple(score for score, _ in scored)
        value, gradients = loss.gradient(scores[: loss.views], ctx)
        d_parts: list[Tensor] = []
        of_goodness: dict[str, Tensor] = {}
        for part, (_, kept), d_score in zip(parts, scored, gradients, strict=False):  # the neutral view has none
            d_part, own = goodness.pull_back(part, kept, d_score if weight * factor == 1 else weight * factor * d_score)
            d_parts.append(d_part)
            of_goodness = {name: own[name] + of_goodness.get(name, 0.0) for name in own}
        d = torch.cat(d_parts) if len(d_parts) > 1 else d_parts[0]
    del scored, counted_scored, part, kept, d_part, d_parts
    of_block = backbone.weight_gradients(l, x[: len(d)], d)
    del x, counted, d
    passed = algorithm._pass_on(l, out) if l < backbone.depth - 1 else out
    counted_passed = keep(passed) if l < backbone.depth - 1 else None
    del counted_out
    return Learned(passed, counted_passed, fused, scores, factor * value, of_block, of_goodness)


def allow_compiled_blocks() -> None:
    """Dynamo compiles eight shapes of one function and then gives up; a deep network has more."""
    config = torch._dynamo.config
    for limit in ("recompile_limit", "cache_size_limit"):  # its name in newer and in older versions
        if hasattr(config, limit):
            setattr(config, limit, max(_BLOCKS, getattr(config, limit)))


@cache
def compiled(block: int) -> Callable[..., Learned]:
    """:func:`learn_block`, compiled for one block.

    Dynamo keeps what it compiled by code object, and tries one after the other: every block gets a code object of
    its own.
    """
    plain = cast(FunctionType, learn_block)
    code = plain.__code__.replace(co_name=f"{plain.__name__}_{block}")
    return torch.compile(FunctionType(code, plain.__globals__), dynamic=False)


def knows_gradient(part: nn.Module) -> bool:
    """Whether a part's closed form is that of its own forward: a subclass that changes one must restate the other."""
    return bool(type(part).__dict__.get("closed_form")) and as_written(part)
