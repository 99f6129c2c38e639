"""What every part has to keep, kind by kind."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from ffzoo.backbones.base import Backbone
from ffzoo.build import backbone_config, create_backbone
from ffzoo.engine import make_goodness_part, make_part
from ffzoo.errors import FFZooError, RecipeError
from ffzoo.measure.locality import same_bits
from ffzoo.parts.base import Build, Context, Fusion, FusionBuild, Goodness, LabelEmbedding, LocalLoss, Negatives
from ffzoo.testing.strategies import Case, features, seeded, unlike
from ffzoo.testing.subjects import Check, Draws, Refused, SkipCheck, Subject

MAPS = ("cnn", "vectors")
"""Draws for parts: features of images and flat ones."""


def _generator(case: Case) -> torch.Generator:
    return torch.Generator().manual_seed(case.seed)


def _shape(case: Case) -> tuple[int, ...]:
    """The features of a block in this case."""
    return (case.width,) if case.backbone == "vectors" else (case.width, *case.shape[1:])


def _built(case: Case, make: Callable[[], Any]) -> Any:
    try:
        with seeded(case.seed):
            return make()
    except RecipeError as error:
        raise Refused(str(error)) from error


def _permuted(rows: int, case: Case) -> Tensor:
    return torch.randperm(rows, generator=_generator(case))


def _some(case: Case) -> Tensor:
    """Half of the rows in another order: a row that depends on the rest of its batch differs."""
    return _permuted(case.batch_size, case)[: case.batch_size // 2]


def _close(a: Tensor, b: Tensor) -> bool:
    scale = float(b.detach().abs().max())
    return torch.allclose(a, b, rtol=1e-4, atol=1e-5 * (1 + scale))


def _pure(part: nn.Module, function: Callable[..., Any], inputs: list[Tensor], case: Case) -> Any:
    """The result, after two equal calls that changed neither the inputs nor the part."""
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


# ------------------------------------------------------------------ every kind


def documented(subject: Subject, draws: Draws) -> None:
    """A registered part says in a line what it is, and its target has a docstring."""
    entry = subject.entry
    assert entry is not None

    def test() -> None:
        assert entry.summary, f"{entry} was registered without a summary"
        assert inspect.getdoc(entry.load()), f"the target of {entry} has no docstring"

    draws.once(test)


# ------------------------------------------------------------------ goodness


def _goodness(subject: Subject, case: Case) -> tuple[Goodness, Tensor, Context]:
    """A goodness, an input it can score (features, or the raw output it reads), and a context."""
    name = subject.name.partition(":")[2]
    backbone = dataclasses.replace(case, backbone="partition", depth=2, shape=(3, 6, 6)).build_backbone((3, 6, 6))
    build = Build(_shape(case), case.num_classes, 0, 2, _generator(case))
    goodness = _built(case, lambda: make_goodness_part(name, build, backbone)).eval()
    h = features(_shape(case), case.batch_size, case.seed)
    if goodness.reads_output:
        outputs: list[Tensor] = []

        def visit(l: int, out: Any) -> Any:
            outputs.append(tree_map(torch.detach, out))
            return out.clone()

        backbone.eval().walk(torch.randn(case.batch_size, 3, 6, 6, generator=_generator(case)), visit)
        h = outputs[-1]
    y = torch.randint(case.num_classes, (case.batch_size,), generator=_generator(case))
    return goodness, h, Context(y, (1,), 0, 2, 0, False, None)


def goodness_shape(subject: Subject, draws: Draws) -> None:
    """A goodness gives finite scores of the shape of its kind, the same for the same input, in place of nothing."""

    def test(case: Case) -> None:
        goodness, h, ctx = _goodness(subject, case)
        score = _pure(goodness, lambda x: goodness(x, ctx), [h], case)
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
            assert _close(wide.double()(h.double(), ctx).float(), score), "float64 gives another score"

    draws.each(test, MAPS, 4)


def goodness_rows(subject: Subject, draws: Draws) -> None:
    """A sample has the same score in any batch, unless the goodness says it is of the whole batch."""

    def test(case: Case) -> None:
        goodness, h, ctx = _goodness(subject, case)
        if goodness.batch_level:
            raise SkipCheck("a goodness of the whole batch")
        some = _some(case)
        fewer = dataclasses.replace(ctx, y=None if ctx.y is None else ctx.y[some])
        assert _close(goodness(h[some], fewer), goodness(h, ctx)[some]), "a score depends on the other samples"

    draws.each(test, MAPS, 4)


def goodness_gradient(subject: Subject, draws: Draws) -> None:
    """The gradient of a score reaches the features in at least one draw, and is finite."""
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
    """Scores are finite on zero, constant and large features."""

    def test(case: Case) -> None:
        goodness, h, ctx = _goodness(subject, case)
        for name, value in (("zero", h * 0), ("constant", h * 0 + 2), ("large (1e4)", h * 1e4)):
            assert goodness(value, ctx).isfinite().all(), f"a score of {name} features is not finite"

    draws.each(test, MAPS)


# ------------------------------------------------------------------ local losses


def _loss(subject: Subject, case: Case) -> tuple[LocalLoss, list[tuple[Tensor, ...]], Context]:
    """A loss, scores of each kind it accepts (one a view), and a context."""
    build = Build(_shape(case), case.num_classes, 0, 2, _generator(case))
    loss: LocalLoss = _built(case, lambda: make_part("local_losses", subject.name.partition(":")[2], build))
    signs = (1, -1)[: loss.views]
    shapes = {"sample": (), "class": (case.num_classes,), "embedding": (case.width,), "reconstruction": _shape(case)}
    generator = _generator(case)
    scores = [
        tuple(torch.randn(case.batch_size, *shapes.get(kind, (6,)), generator=generator) for _ in signs)
        for kind in loss.accepts
    ]
    y = torch.randint(case.num_classes, (case.batch_size,), generator=generator)
    needed = signs if "others" in loss.requires else ()
    others = tuple(torch.randn(case.batch_size, generator=generator) for _ in needed)
    x = torch.randn(case.batch_size, *_shape(case), generator=generator) if "input" in loss.requires else None
    return loss, scores, Context(y, signs, 0, 2, 0, True, generator, x, others)


def _rows(scores: tuple[Tensor, ...], ctx: Context, rows: Any) -> tuple[tuple[Tensor, ...], Context]:
    y, x = (None if t is None else t[rows] for t in (ctx.y, ctx.x))
    others = tuple(s[rows] for s in ctx.others)
    return tuple(s[rows] for s in scores), dataclasses.replace(ctx, y=y, x=x, others=others)


def loss_scalar(subject: Subject, draws: Draws) -> None:
    """A loss is one finite number, the same for the same scores, for every kind it accepts."""

    def test(case: Case) -> None:
        loss, kinds, ctx = _loss(subject, case)
        for scores in kinds:
            value = _pure(loss, lambda *s: loss(s, ctx), list(scores), case)
            assert value.shape == () and value.isfinite(), f"a loss is {value}; expected one finite number"
            for name, factor in (("zero", 0.0), ("large (1e4)", 1e4)):
                extreme = loss(tuple(s * factor for s in scores), ctx)
                assert extreme.isfinite(), f"the loss of {name} scores is {extreme}"

    draws.each(test, MAPS, 4)


def loss_mean(subject: Subject, draws: Draws) -> None:
    """A loss is the mean over the batch, in any order, unless it says it is of the whole batch."""

    def test(case: Case) -> None:
        loss, kinds, ctx = _loss(subject, case)
        if loss.batch_level:
            raise SkipCheck("a loss of the whole batch")
        for scores in kinds:
            value, rows = loss(scores, ctx), case.batch_size
            permuted = loss(*_rows(scores, ctx, _permuted(rows, case)))
            assert _close(permuted, value), "the loss depends on the order of the batch"
            parts = [loss(*_rows(scores, ctx, [row])) for row in range(rows)]
            assert _close(torch.stack(parts).mean(), value), "the loss is not the mean of the samples' losses"

    draws.each(test, MAPS, 4)


def loss_gradient(subject: Subject, draws: Draws) -> None:
    """The gradient of a loss reaches its scores in at least one draw, and is finite."""
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


# ------------------------------------------------------------------ fusions


def _fusion(subject: Subject, case: Case, kind: Any) -> tuple[Fusion, list[Tensor], Tensor]:
    """A fusion, what it fuses of each block, and labels."""
    shapes = tuple(_shape(dataclasses.replace(case, width=case.width + l)) for l in range(case.depth))
    build = FusionBuild(shapes, case.num_classes, kind, case.depth)
    fusion: Fusion = _built(case, lambda: make_part("fusions", subject.name.partition(":")[2], build)).eval()
    rows, generator = case.batch_size, _generator(case)
    if fusion.reads == "features":
        kept = [fusion.feature(l, features(shape, rows, case.seed + l)) for l, shape in enumerate(shapes)]
        blocks = [f for f in kept if f is not None]
    else:
        blocks = [torch.randn(rows, case.num_classes, generator=generator) for _ in shapes]
    return fusion, blocks, torch.randint(case.num_classes, (rows,), generator=generator)


def fusion_scores(subject: Subject, draws: Draws) -> None:
    """A fusion gives finite scores (B, K), row by row, and changes nothing."""

    def test(case: Case) -> None:
        for kind in ("class", "sample"):
            fusion, blocks, _ = _fusion(subject, case, kind)
            with torch.no_grad():
                scores = _pure(fusion, lambda *b, fusion=fusion: fusion(b), blocks, case)
                expected = (case.batch_size, case.num_classes)
                assert scores.shape == expected, f"fused scores have shape {tuple(scores.shape)}, not {expected}"
                assert scores.isfinite().all(), "a fused score is not finite"
                some = _some(case)
                assert _close(fusion([b[some] for b in blocks]), scores[some]), "a row depends on the others"
                wide = fusion.double()([b.double() for b in blocks])
                assert _close(wide.float(), scores), "float64 gives other scores"

    draws.each(test, MAPS, 4)


def fusion_trains(subject: Subject, draws: Draws) -> None:
    """What a fusion learns is used: its loss has a gradient on its parameters; calibration keeps it sound."""

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


# ------------------------------------------------------------------ negatives


def _negatives(subject: Subject, case: Case) -> Negatives:
    name = subject.name.partition(":")[2]
    negatives: Negatives = _built(case, lambda: make_part("negatives", name, case.num_classes))
    if type(negatives).forward is Negatives.forward:
        raise SkipCheck("makes no negatives")
    return negatives


def _made(negatives: Negatives, x: Tensor, y: Tensor, case: Case, generator: Any) -> tuple[Tensor, Tensor]:
    """The negatives of a batch; those that read the prediction are given one that is sure of itself."""
    if not negatives.reads_prediction:
        return negatives(x, y, generator)
    shape = (len(x), case.num_classes)
    return negatives(x, y, generator, 100 * torch.randn(shape, generator=_generator(case)))


def negatives_are_wrong(subject: Subject, draws: Draws) -> None:
    """A negative never carries the true label; where the label is kept, the inputs are changed."""
    changed = False

    def test(case: Case) -> None:
        nonlocal changed
        negatives, batch = _negatives(subject, case), case.batch()
        x, y = _made(negatives, batch.x, batch.y, case, batch.generator)
        assert 0 <= int(y.min()) and int(y.max()) < case.num_classes, "a negative's label is no class"
        if negatives.wrong_labels:
            assert not (y == batch.y).any(), "a negative carries the true label"
        changed |= not x.equal(batch.x) or not y.equal(batch.y)

    draws.each(test, ("cnn",), 10)
    assert changed or not draws.count, "the negatives are the positives in every draw"


def negatives_shape(subject: Subject, draws: Draws) -> None:
    """As many negatives as samples, alike in shape and type, from the step's generator alone."""

    def test(case: Case) -> None:
        negatives, batch = _negatives(subject, case), case.batch()

        def make(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            random = torch.get_rng_state()
            made = _made(negatives, x, y, case, _generator(case))
            assert random.equal(torch.get_rng_state()), "it draws from the global generator, not from the step's"
            return made

        x, y = _pure(negatives, make, [batch.x, batch.y], case)
        assert x.shape == batch.x.shape and x.dtype == batch.x.dtype, f"inputs {x.dtype} of shape {tuple(x.shape)}"
        assert y.shape == batch.y.shape and y.dtype == torch.int64, f"labels {y.dtype} of shape {tuple(y.shape)}"
        assert x.isfinite().all(), "a negative is not finite"
        with seeded(case.seed):
            _made(negatives, batch.x, batch.y, case, None)

    draws.each(test, ("cnn",), 6)


# ------------------------------------------------------------------ label embeddings


def _embedding(subject: Subject, case: Case) -> LabelEmbedding:
    name = subject.name.partition(":")[2]
    made: LabelEmbedding = _built(case, lambda: make_part("label_embeddings", name, case.num_classes))
    made.attach(made.input_shape(case.shape), (_shape(case),) * 2, _generator(case))
    return made


def embedding_shape(subject: Subject, draws: Draws) -> None:
    """A label embedding makes inputs of the shape it announces, with a label and without, row by row."""

    def test(case: Case) -> None:
        embedding, batch = _embedding(subject, case), case.batch()
        expected = (case.batch_size, *embedding.input_shape(case.shape))
        for y in (batch.y, None):
            made = _pure(embedding, lambda x, y=y: embedding(x, y), [batch.x], case)
            assert made.shape == expected, f"inputs of shape {tuple(made.shape)}, announced as {expected}"
            assert made.dtype == batch.x.dtype and made.isfinite().all(), "another type, or not finite"
        some = _some(case)
        fewer = embedding(batch.x[some], batch.y[some])
        assert fewer.equal(embedding(batch.x, batch.y)[some]), "a row depends on the others"

    draws.each(test, MAPS, 4)


def embedding_injective(subject: Subject, draws: Draws) -> None:
    """Two labels, and the neutral one, give different inputs."""

    def test(case: Case) -> None:
        embedding, x = _embedding(subject, case), case.batch().x
        labels = [None, *(torch.full((len(x),), k) for k in range(case.num_classes))]
        made = [embedding(x, y) for y in labels]
        if all(m.shape == x.shape and m.equal(x) for m in made):
            raise SkipCheck("writes no label")
        for a in range(len(made)):
            for b in range(a):
                different = (made[a] != made[b]).flatten(1).any(1).all()
                assert different, f"labels {b - 1} and {a - 1} (-1: neutral) give the same input"

    draws.each(test, MAPS, 4)


# ------------------------------------------------------------------ normalizations


def normalization_rows(subject: Subject, draws: Draws) -> None:
    """A normalization keeps the shape and is finite, and normalizes a sample alike in any batch."""

    def test(case: Case) -> None:
        shape = _shape(case)
        norm = _built(case, lambda: make_part("normalizations", subject.name.partition(":")[2], shape)).eval()
        h = features(shape, case.batch_size, case.seed)
        out = _pure(norm, norm, [h], case)
        assert out.shape == h.shape and out.dtype == h.dtype, f"{tuple(h.shape)} became {tuple(out.shape)}"
        some = _some(case)
        assert _close(norm(h[some]), out[some]), "a row depends on the others"
        for name, value in (("zero", h * 0), ("constant", h * 0 + 2), ("large (1e4)", h * 1e4)):
            assert norm(value).isfinite().all(), f"{name} features become infinite or NaN"
        assert _close(norm.double()(h.double()).float(), out), "float64 gives another result"

    draws.each(test, MAPS, 4)


def normalization_gradient(subject: Subject, draws: Draws) -> None:
    """The gradient passes through a normalization, and is finite on zero features."""

    def test(case: Case) -> None:
        shape = _shape(case)
        norm = _built(case, lambda: make_part("normalizations", subject.name.partition(":")[2], shape))
        for factor in (1.0, 0.0):
            h = (features(shape, case.batch_size, case.seed) * factor).requires_grad_()
            out = norm(h)
            (gradient,) = torch.autograd.grad((out * unlike(out, case.seed)).sum(), h)
            assert gradient.isfinite().all(), "a gradient through it is not finite"
            assert gradient.any() or not factor, "no gradient passes through it"

    draws.each(test, MAPS, 4)


# ------------------------------------------------------------------ backbones


def _backbone(subject: Subject, case: Case) -> Backbone:
    """The named backbone, small where it has a width and a depth."""
    name = subject.name.partition(":")[2]
    config = backbone_config(name)
    if config is not None:
        known = {f.name for f in dataclasses.fields(config)}
        changes = {"width": case.width, "depth": case.depth}
        config = dataclasses.replace(config, **{k: v for k, v in changes.items() if k in known})
    try:
        with seeded(case.seed):
            return create_backbone(name, _input_shape(subject, case), case.num_classes, config)
    except FFZooError as error:
        raise Refused(str(error)) from error


def _input_shape(subject: Subject, case: Case) -> tuple[int, ...]:
    """Models by name have strides: 8 px leave them nothing."""
    return (3, 32, 32) if subject.name.count(":") > 1 else case.shape


def _input(subject: Subject, case: Case) -> Tensor:
    return torch.randn(case.batch_size, *_input_shape(subject, case), generator=_generator(case))


def _walk(backbone: Backbone, x: Tensor) -> list[Any]:
    """Each block's output, when detached copies are passed on."""
    outputs: list[Any] = []

    def visit(l: int, out: Any) -> Any:
        outputs.append(out)
        given = tree_map(lambda t: t.detach().clone() if isinstance(t, Tensor) else t, out)
        return backbone.downsample(l + 1, given)

    backbone.walk(x, visit)
    return outputs


def backbone_shapes(subject: Subject, draws: Draws) -> None:
    """Features have the announced shapes, are finite and repeatable, and the input is left alone."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case).eval()
        with torch.no_grad():
            x = _input(subject, case)
            kept = x.clone()
            maps = [backbone.features(l, out).clone() for l, out in enumerate(_walk(backbone, x))]
            assert len(maps) == backbone.depth, f"{len(maps)} blocks were walked, {backbone.depth} announced"
            for l, (h, shape) in enumerate(zip(maps, backbone.feature_shapes, strict=True)):
                assert h.shape == (len(x), *shape), f"block {l + 1}: {tuple(h.shape)[1:]}, announced as {shape}"
                assert h.isfinite().all(), f"block {l + 1}: features are not finite"
            assert same_bits(x, kept), "the walk changes its input"
            again = [backbone.features(l, out) for l, out in enumerate(_walk(backbone, x))]
            assert all(map(same_bits, maps, again)), "the same input gave two results"
            some = _some(case)
            fewer = [backbone.features(l, out) for l, out in enumerate(_walk(backbone, x[some]))]
            assert all(_close(a, b[some]) for a, b in zip(fewer, maps, strict=True)), "rows depend on each other"
            alone = backbone.features(backbone.depth - 1, _walk(backbone, x[:1])[-1])
            assert _close(alone, maps[-1][:1]), "a single sample has other features than in a batch"
            whole = backbone.features(backbone.depth - 1, backbone(x))
            assert _close(whole, maps[-1]), "forward() and walk() end differently"

    draws.each(test, MAPS)


def backbone_owners(subject: Subject, draws: Draws) -> None:
    """Every tensor of the state has an owner, and every owned parameter is in exactly one block."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case)
        for key in backbone.state_dict():
            owner = backbone.owner(key)
            assert owner is None or 0 <= owner < backbone.depth, f"owner({key!r}) is {owner}"
        listed = [id(p) for l in range(backbone.depth) for p in backbone.block_parameters(l)]
        owned = [id(p) for name, p in backbone.named_parameters() if backbone.owner(name) is not None]
        assert sorted(listed) == sorted(owned), "block_parameters() and owner() disagree"
        for l in range(backbone.depth):
            assert backbone.block_parameters(l), f"block {l + 1} has no parameters"
        assert backbone.describe(), "describe() says nothing"

    draws.each(test, MAPS)


def backbone_isolated(subject: Subject, draws: Draws) -> None:
    """With detached copies passed on, a block's features have a gradient on that block alone."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case).double()
        reached: set[int] = set()
        with seeded(case.seed):
            outputs = _walk(backbone, _input(subject, case).double())
        names = dict(backbone.named_parameters())
        for l, out in enumerate(outputs):
            h = backbone.features(l, out)
            total = (h * unlike(h, case.seed)).sum()
            gradients = torch.autograd.grad(total, list(names.values()), retain_graph=True, allow_unused=True)
            hit = {backbone.owner(name) for name, g in zip(names, gradients, strict=True) if g is not None}
            assert hit <= {l}, f"the gradient of block {l + 1} reaches {sorted(map(str, hit - {l}))} (from 0)"
            reached |= {l for g in gradients if g is not None and g.any()}
        assert len(reached) == backbone.depth, "a block's features have no gradient on its own parameters"

    draws.each(test, MAPS)


def backbone_copies(subject: Subject, draws: Draws) -> None:
    """A deep copy, and a fresh instance with the same state, give the same features."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case).eval()
        fresh = _backbone(subject, dataclasses.replace(case, seed=case.seed + 1)).eval()
        fresh.load_state_dict(backbone.state_dict())
        with torch.no_grad():
            x = _input(subject, case)
            h = backbone.features(backbone.depth - 1, backbone(x)).clone()
            for name, other in (("a deep copy", copy.deepcopy(backbone)), ("a loaded instance", fresh)):
                same = same_bits(other.features(other.depth - 1, other(x)), h)
                assert same, f"{name} gives other features"

    draws.each(test, MAPS)


# ------------------------------------------------------------------ schedules


def schedule_windows(subject: Subject, draws: Draws) -> None:
    """Every block has a window within the training, and some block trains until its end."""
    name = subject.name.partition(":")[2]

    def test() -> None:
        for depth in (1, 2, 5):
            schedule = make_part("schedules", name, depth)
            windows = [schedule.window(l) for l in range(depth)]
            for l, (start, end) in enumerate(windows):
                assert 0 <= start < end <= 1, f"block {l + 1} of {depth} trains from {start} to {end}"
            assert max(end for _, end in windows) == 1, f"no block of {depth} trains until the end"

    draws.once(test)


PART_CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {
        "goodness": (documented, goodness_shape, goodness_rows, goodness_gradient, goodness_extremes),
        "local_losses": (documented, loss_scalar, loss_mean, loss_gradient),
        "fusions": (documented, fusion_scores, fusion_trains),
        "negatives": (documented, negatives_shape, negatives_are_wrong),
        "label_embeddings": (documented, embedding_shape, embedding_injective),
        "normalizations": (documented, normalization_rows, normalization_gradient),
        "schedules": (documented, schedule_windows),
        "backbones": (documented, backbone_shapes, backbone_owners, backbone_isolated, backbone_copies),
    }
)
