"""Learning without autograd: what one block does in a step, as a function of tensors, and the walk over all blocks.

Of a block that is one layer and a ReLU, with one goodness whose gradient is known, only the gradient of the layer's
weights is left to compute: half of what the layer costs backprop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ffzoo.algorithms.step import Step
from ffzoo.algorithms.views import Views
from ffzoo.backbones.base import add_gradient, as_written, full_precision
from ffzoo.kernels.kept import keep
from ffzoo.parts.base import Context, Goodness, LocalLoss
from ffzoo.parts.norms import Normalization

if TYPE_CHECKING:
    from ffzoo.algorithms.engine import RecipeAlgorithm


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


class ClosedForm:
    """A way to take the step of an algorithm whose blocks need no graph to learn.

    Args:
        algorithm: whose step it takes.
    """

    def __init__(self, algorithm: RecipeAlgorithm) -> None:
        self.algorithm = algorithm
        self.of_block = [algorithm.backbone.block_parameters(l) for l in range(algorithm.backbone.depth)]

    def fits(self) -> bool:
        """Return whether every block, its one term and what lies between need no autograd."""
        algorithm = self.algorithm
        terms = [algorithm.terms(l) for l in range(algorithm.backbone.depth)]
        return (
            algorithm.backbone.closed_form
            and all(p.requires_grad for p in algorithm.backbone.parameters())
            and not any(p.requires_grad for m in (algorithm.norms, algorithm.label_embedding) for p in m.parameters())
            and not (algorithm.batch_statistics or algorithm.meaning.requires)
            and all(type(norm) is Normalization for norm in algorithm.goodness_norms)
            and all(len(of_block) == 1 for of_block in terms)
            and all(knows_gradient(part) for ((goodness, loss, _),) in terms for part in (goodness, loss))
        )

    def __call__(self, views: Views, step: Step) -> None:
        """Walk once without a graph: each block's gradient is computed from its input and its output."""
        algorithm = self.algorithm
        fused: list[Tensor] = []
        read: list[tuple[tuple[Tensor, ...], Tensor]] = []
        x = algorithm.laid_out(views.join(algorithm.label_embedding))
        given = [(x, keep(x))]
        del x
        with torch.no_grad(), algorithm.autocast():
            for l in range(algorithm.backbone.depth):
                ctx = algorithm.context(views, step, l)
                ((goodness, loss, weight),) = algorithm.terms(l)
                learn = compiled(l) if algorithm.execution.compile else learn_block
                labels, neutral = views.labels, views.neutral
                learned = learn(algorithm, goodness, loss, given, ctx, labels, neutral, weight, step.share)
                given = [(learned.passed, learned.counted)]
                read.append((learned.scores, learned.loss))
                fused.extend([] if learned.fused is None else [learned.fused])
                for parameter, gradient in zip(self.of_block[l], learned.of_block, strict=True):
                    add_gradient(parameter, gradient)
                for name, gradient in learned.of_goodness.items():
                    add_gradient(goodness.get_parameter(name), gradient)
                del learned
                if step.last:
                    algorithm.optimizers.step(l)
            _note_all(read, views.y, step)
        head = algorithm.fusion_head.loss(fused, views.y) if fused else None
        if head is not None:
            step.note("loss/fusion", head)
            step.backward(head)


def learn_block(
    algorithm: RecipeAlgorithm,
    goodness: Goodness,
    loss: LocalLoss,
    given: list[tuple[Tensor, object]],
    ctx: Context,
    labels: Sequence[Tensor | None],
    neutral: int,
    weight: float,
    share: float,
) -> Learned:
    """Learn one block in closed form: a function of tensors, so that it can be compiled.

    It takes its input out of ``given``, to free it as soon as the gradient of the weights is computed.
    """
    x, counted = given.pop()
    views = len(labels)
    backbone, l = algorithm.backbone, ctx.block
    out = backbone.block(l, x)
    counted_out = keep(out)
    with algorithm.full_precision():
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
            d_part, own = goodness.pull_back(part, kept, d_score if share * weight == 1 else share * weight * d_score)
            d_parts.append(d_part)
            of_goodness = {name: own[name] + of_goodness.get(name, 0.0) for name in own}
        d = torch.cat(d_parts) if len(d_parts) > 1 else d_parts[0]
    del scored, counted_scored, part, kept, d_part, d_parts
    of_block = backbone.weight_gradients(l, x[: len(d)], d)
    del x, counted, d
    passed = algorithm.walk.pass_on(l, out, labels)
    counted_passed = keep(passed) if l < backbone.depth - 1 else None
    del counted_out
    return Learned(passed, counted_passed, fused, scores, weight * value, of_block, of_goodness)


@cache
def compiled(block: int) -> Callable[..., Learned]:
    """Return :func:`learn_block`, compiled for one block.

    Dynamo keeps what it compiled by code object, and tries one after the other: every block gets a code object of
    its own.
    """
    plain = cast(FunctionType, learn_block)
    code = plain.__code__.replace(co_name=f"{plain.__name__}_{block}")
    return torch.compile(FunctionType(code, plain.__globals__), dynamic=False)


def knows_gradient(part: nn.Module) -> bool:
    """Return whether a part's closed form belongs to its own forward: a subclass that changes one must restate it."""
    return bool(type(part).__dict__.get("closed_form")) and as_written(part)


def _note_all(read: Sequence[tuple[tuple[Tensor, ...], Tensor]], y: Tensor, step: Step) -> None:
    """Note the metrics of all blocks at once: small operations cost as much as large ones."""
    name, right = "", None
    first = torch.stack([scores[0] for scores, _ in read])
    if first.dim() == 3:
        name, right = "accuracy", first.argmax(2) == y
    elif len(read[0][0]) > 1:
        name, right = "pairs", first > torch.stack([scores[1] for scores, _ in read])
    if right is not None:
        for l, value in enumerate(right.float().mean(1)):
            step.note(f"{name}/{l + 1}", value)
    for l, (_, value) in enumerate(read):
        step.note(f"loss/{l + 1}", value)
