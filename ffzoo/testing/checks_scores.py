"""What a goodness, a local loss and a fusion have to keep."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from ffzoo.algorithms.making import make_goodness_part, make_part
from ffzoo.measure.locality import same_bits
from ffzoo.parts.base import Build, Context, Fusion, FusionBuild, Goodness, LocalLoss
from ffzoo.testing.part_cases import (
    MAPS,
    build_or_refuse,
    close,
    feature_shape,
    generator_of,
    permuted_rows,
    pure,
    some_rows,
)
from ffzoo.testing.strategies import Case, features, unlike
from ffzoo.testing.subjects import Draws, SkipCheck, Subject


def _goodness(subject: Subject, case: Case) -> tuple[Goodness, Tensor, Context]:
    """Return a goodness, an input that it can score (features, or the raw output it reads), and a context."""
    name = subject.name.partition(":")[2]
    backbone = dataclasses.replace(case, backbone="partition", depth=2, shape=(3, 6, 6)).build_backbone((3, 6, 6))
    build = Build(feature_shape(case), case.num_classes, 0, 2, generator_of(case))
    goodness = build_or_refuse(case, lambda: make_goodness_part(name, build, backbone)).eval()
    h = features(feature_shape(case), case.batch_size, case.seed)
    if goodness.reads_output:
        outputs: list[Tensor] = []

        def visit(l: int, out: Any) -> Any:
            outputs.append(tree_map(torch.detach, out))
            return out.clone()

        backbone.eval().walk(torch.randn(case.batch_size, 3, 6, 6, generator=generator_of(case)), visit)
        h = outputs[-1]
    y = torch.randint(case.num_classes, (case.batch_size,), generator=generator_of(case))
    return goodness, h, Context(y, (1,), 0, 2, 0, False, None)


def goodness_shape(subject: Subject, draws: Draws) -> None:
    """Check that scores are finite, shaped as `kind` implies, deterministic, and leave the input unmodified."""

    def test(case: Case) -> None:
        goodness, h, ctx = _goodness(subject, case)
        score = pure(goodness, lambda x: goodness(x, ctx), [h], case)
        rows = len(h)
        expected = {"sample": (rows,), "class": (rows, case.num_classes)}.get(goodness.kind)
        if expected is not None:
            assert score.shape == expected, f"a {goodness.kind} score has shape {tuple(score.shape)}, not {expected}"
        else:
            dims = {"map": 2, "embedding": 2}.get(goodness.kind, score.dim())
            assert score.dim() == dims and len(score) == rows, f"{goodness.kind} scores of shape {tuple(score.shape)}"
        assert score.isfinite().all(), "a score is not finite"
        assert goodness(h[:1], ctx).shape == (1, *score.shape[1:]), "a batch of one has another shape"
        wide = copy.deepcopy(goodness)
        if not goodness.reads_output:  # the output's model is not the goodness's to convert
            assert close(wide.double()(h.double(), ctx).float(), score), "float64 gives another score"

    draws.each(test, MAPS, 4)


def goodness_rows(subject: Subject, draws: Draws) -> None:
    """Check that a sample has the same score in any batch, unless the goodness is declared `batch_level`."""

    def test(case: Case) -> None:
        goodness, h, ctx = _goodness(subject, case)
        if goodness.batch_level:
            raise SkipCheck("a goodness of the whole batch")
        some = some_rows(case)
        fewer = dataclasses.replace(ctx, y=None if ctx.y is None else ctx.y[some])
        assert close(goodness(h[some], fewer), goodness(h, ctx)[some]), "a score depends on the other samples"

    draws.each(test, MAPS, 4)


def goodness_gradient(subject: Subject, draws: Draws) -> None:
    """Check that the gradient of a score reaches the features in at least one draw, and is finite."""
    reached = False

    def test(case: Case) -> None:
        nonlocal reached
        goodness, h, ctx = _goodness(subject, case)
        h.requires_grad_()
        score = goodness(h, ctx)
        (gradient,) = torch.autograd.grad((score * unlike(score, case.seed)).sum(), h, allow_unused=True)
        assert gradient is None or gradient.isfinite().all(), "the gradient of a score is not finite"
        reached |= gradient is not None and bool(gradient.any())

    draws.each(test, MAPS, 4)
    assert reached or not draws.count, "no gradient reaches the features in any draw"


def goodness_extremes(subject: Subject, draws: Draws) -> None:
    """Check that scores are finite on zero, constant and large features."""

    def test(case: Case) -> None:
        goodness, h, ctx = _goodness(subject, case)
        for name, value in (("zero", h * 0), ("constant", h * 0 + 2), ("large (1e4)", h * 1e4)):
            assert goodness(value, ctx).isfinite().all(), f"a score of {name} features is not finite"

    draws.each(test, MAPS)


def _loss(subject: Subject, case: Case) -> tuple[LocalLoss, list[tuple[Tensor, ...]], Context]:
    """Return a loss, scores of each kind that it accepts (one per view), and a context."""
    build = Build(feature_shape(case), case.num_classes, 0, 2, generator_of(case))
    loss: LocalLoss = build_or_refuse(case, lambda: make_part("local_losses", subject.name.partition(":")[2], build))
    signs = (1, -1)[: loss.views]
    shapes = {
        "sample": (),
        "class": (case.num_classes,),
        "embedding": (case.width,),
        "reconstruction": feature_shape(case),
    }
    generator = generator_of(case)
    scores = [
        tuple(torch.randn(case.batch_size, *shapes.get(kind, (6,)), generator=generator) for _ in signs)
        for kind in loss.accepts
    ]
    y = torch.randint(case.num_classes, (case.batch_size,), generator=generator)
    needed = signs if "others" in loss.requires else ()
    others = tuple(torch.randn(case.batch_size, generator=generator) for _ in needed)
    x = torch.randn(case.batch_size, *feature_shape(case), generator=generator) if "input" in loss.requires else None
    return loss, scores, Context(y, signs, 0, 2, 0, True, generator, x, others)


def _rows(scores: tuple[Tensor, ...], ctx: Context, rows: Any) -> tuple[tuple[Tensor, ...], Context]:
    y, x = (None if t is None else t[rows] for t in (ctx.y, ctx.x))
    others = tuple(s[rows] for s in ctx.others)
    return tuple(s[rows] for s in scores), dataclasses.replace(ctx, y=y, x=x, others=others)


def loss_scalar(subject: Subject, draws: Draws) -> None:
    """Check that a loss is a finite scalar, and deterministic, for every kind of score that it accepts."""

    def test(case: Case) -> None:
        loss, kinds, ctx = _loss(subject, case)
        for scores in kinds:
            value = pure(loss, lambda *s: loss(s, ctx), list(scores), case)
            assert value.shape == () and value.isfinite(), f"a loss is {value}; expected one finite number"
            for name, factor in (("zero", 0.0), ("large (1e4)", 1e4)):
                extreme = loss(tuple(s * factor for s in scores), ctx)
                assert extreme.isfinite(), f"the loss of {name} scores is {extreme}"

    draws.each(test, MAPS, 4)


def loss_mean(subject: Subject, draws: Draws) -> None:
    """Check that a loss is the mean over the batch, in any order, unless it is declared `batch_level`."""

    def test(case: Case) -> None:
        loss, kinds, ctx = _loss(subject, case)
        if loss.batch_level:
            raise SkipCheck("a loss of the whole batch")
        for scores in kinds:
            value, rows = loss(scores, ctx), case.batch_size
            permuted = loss(*_rows(scores, ctx, permuted_rows(rows, case)))
            assert close(permuted, value), "the loss depends on the order of the batch"
            parts = [loss(*_rows(scores, ctx, [row])) for row in range(rows)]
            assert close(torch.stack(parts).mean(), value), "the loss is not the mean of the samples' losses"

    draws.each(test, MAPS, 4)


def loss_gradient(subject: Subject, draws: Draws) -> None:
    """Check that the gradient of a loss reaches its scores in at least one draw, and is finite."""
    reached = False

    def test(case: Case) -> None:
        nonlocal reached
        loss, kinds, ctx = _loss(subject, case)
        for scores in kinds:
            for s in scores:
                s.requires_grad_()
            gradients = torch.autograd.grad(loss(scores, ctx), scores, allow_unused=True)
            assert all(g is None or g.isfinite().all() for g in gradients), "a gradient is not finite"
            reached |= all(g is not None and bool(g.any()) for g in gradients)

    draws.each(test, MAPS, 4)
    assert reached or not draws.count, "no gradient reaches the scores in any draw"


def _fusion(subject: Subject, case: Case, kind: Any) -> tuple[Fusion, list[Tensor], Tensor]:
    """Return a fusion, what it fuses of each block, and labels."""
    shapes = tuple(feature_shape(dataclasses.replace(case, width=case.width + l)) for l in range(case.depth))
    build = FusionBuild(shapes, case.num_classes, kind, case.depth)
    fusion: Fusion = build_or_refuse(case, lambda: make_part("fusions", subject.name.partition(":")[2], build)).eval()
    rows, generator = case.batch_size, generator_of(case)
    if fusion.reads == "features":
        kept = [fusion.feature(l, features(shape, rows, case.seed + l)) for l, shape in enumerate(shapes)]
        blocks = [f for f in kept if f is not None]
    else:
        blocks = [torch.randn(rows, case.num_classes, generator=generator) for _ in shapes]
    return fusion, blocks, torch.randint(case.num_classes, (rows,), generator=generator)


def fusion_scores(subject: Subject, draws: Draws) -> None:
    """Check that a fusion gives finite scores (B, K), treats each row alone, and changes nothing."""

    def test(case: Case) -> None:
        for kind in ("class", "sample"):
            fusion, blocks, y = _fusion(subject, case, kind)
            if fusion.fits:
                fusion.fit(blocks, y)
            with torch.no_grad():
                scores = pure(fusion, lambda *b, fusion=fusion: fusion(b), blocks, case)
                expected = (case.batch_size, case.num_classes)
                assert scores.shape == expected, f"fused scores have shape {tuple(scores.shape)}, not {expected}"
                assert scores.isfinite().all(), "a fused score is not finite"
                some = some_rows(case)
                assert close(fusion([b[some] for b in blocks]), scores[some]), "a row depends on the others"
                wide = fusion.double()([b.double() for b in blocks])
                assert close(wide.float(), scores), "float64 gives other scores"

    draws.each(test, MAPS, 4)


def fusion_trains(subject: Subject, draws: Draws) -> None:
    """Check that what a fusion learns is used: its loss has a gradient on it, and calibration keeps it finite."""

    def test(case: Case) -> None:
        fusion, blocks, y = _fusion(subject, case, "class")
        parameters = list(fusion.parameters())
        loss = fusion.loss(blocks, y) if fusion.reads == "features" else None
        assert loss is not None or not parameters, "it has parameters, but no loss to train them with"
        if loss is not None:
            assert loss.shape == () and loss.isfinite(), f"its loss is {loss}; expected one finite number"
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            assert any(g is not None and g.any() for g in gradients), "its loss trains none of its parameters"
        if fusion.reads == "scores":
            fusion.calibrate(blocks, y)
            scores = fusion(blocks)
            assert scores.shape == (case.batch_size, case.num_classes), "calibration changed the shape of the scores"
            assert scores.isfinite().all(), "calibration broke the scores"
            kept = copy.deepcopy(fusion.state_dict())
            other = _fusion(subject, case, "class")[0]
            other.load_state_dict(kept)
            assert same_bits(other(blocks), scores), "what calibration chose is not in the state dict"

    draws.each(test, MAPS, 4)
