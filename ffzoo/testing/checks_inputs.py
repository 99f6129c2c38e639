"""What negatives, label embeddings and normalizations have to keep."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ffzoo.algorithms.making import make_part
from ffzoo.parts.base import LabelEmbedding, Negatives
from ffzoo.testing.part_cases import MAPS, build_or_refuse, close, feature_shape, generator_of, pure, some_rows
from ffzoo.testing.strategies import Case, features, seeded, unlike
from ffzoo.testing.subjects import Draws, SkipCheck, Subject


def _negatives(subject: Subject, case: Case) -> Negatives:
    name = subject.name.partition(":")[2]
    negatives: Negatives = build_or_refuse(case, lambda: make_part("negatives", name, case.num_classes))
    if type(negatives).forward is Negatives.forward:
        raise SkipCheck("makes no negatives")
    return negatives


def _made(negatives: Negatives, x: Tensor, y: Tensor, case: Case, generator: Any) -> tuple[Tensor, Tensor]:
    """Return the negatives of a batch; those that read the prediction are given a confident one."""
    if not negatives.reads_prediction:
        return negatives(x, y, generator)
    shape = (len(x), case.num_classes)
    return negatives(x, y, generator, 100 * torch.randn(shape, generator=generator_of(case)))


def negatives_are_wrong(subject: Subject, draws: Draws) -> None:
    """Check that a negative never carries the true label unless its inputs are changed."""
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
    """Check that there are as many negatives as samples, equal in shape and type, from the step's generator."""

    def test(case: Case) -> None:
        negatives, batch = _negatives(subject, case), case.batch()

        def make(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            random = torch.get_rng_state()
            made = _made(negatives, x, y, case, generator_of(case))
            assert random.equal(torch.get_rng_state()), "it draws from the global generator, not from the step's"
            return made

        x, y = pure(negatives, make, [batch.x, batch.y], case)
        assert x.shape == batch.x.shape and x.dtype == batch.x.dtype, f"inputs {x.dtype} of shape {tuple(x.shape)}"
        assert y.shape == batch.y.shape and y.dtype == torch.int64, f"labels {y.dtype} of shape {tuple(y.shape)}"
        assert x.isfinite().all(), "a negative is not finite"
        with seeded(case.seed):
            _made(negatives, batch.x, batch.y, case, None)

    draws.each(test, ("cnn",), 6)


def _embedding(subject: Subject, case: Case) -> LabelEmbedding:
    name = subject.name.partition(":")[2]
    made: LabelEmbedding = build_or_refuse(case, lambda: make_part("label_embeddings", name, case.num_classes))
    made.attach(made.input_shape(case.shape), (feature_shape(case),) * 2, generator_of(case))
    return made


def embedding_shape(subject: Subject, draws: Draws) -> None:
    """Check that a label embedding makes inputs of the shape it announces, with a label and without, row by row."""

    def test(case: Case) -> None:
        embedding, batch = _embedding(subject, case), case.batch()
        expected = (case.batch_size, *embedding.input_shape(case.shape))
        for y in (batch.y, None):
            made = pure(embedding, lambda x, y=y: embedding(x, y), [batch.x], case)
            assert made.shape == expected, f"inputs of shape {tuple(made.shape)}, announced as {expected}"
            assert made.dtype == batch.x.dtype and made.isfinite().all(), "another type, or not finite"
        some = some_rows(case)
        fewer = embedding(batch.x[some], batch.y[some])
        assert fewer.equal(embedding(batch.x, batch.y)[some]), "a row depends on the others"

    draws.each(test, MAPS, 4)


def embedding_injective(subject: Subject, draws: Draws) -> None:
    """Check that two labels, and the neutral one, give different inputs."""

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


def normalization_rows(subject: Subject, draws: Draws) -> None:
    """Check that a normalization keeps the shape, is finite, and treats a sample the same in any batch."""

    def test(case: Case) -> None:
        shape = feature_shape(case)
        norm = build_or_refuse(case, lambda: make_part("normalizations", subject.name.partition(":")[2], shape)).eval()
        h = features(shape, case.batch_size, case.seed)
        out = pure(norm, norm, [h], case)
        assert out.shape == h.shape and out.dtype == h.dtype, f"{tuple(h.shape)} became {tuple(out.shape)}"
        some = some_rows(case)
        assert close(norm(h[some]), out[some]), "a row depends on the others"
        for name, value in (("zero", h * 0), ("constant", h * 0 + 2), ("large (1e4)", h * 1e4)):
            assert norm(value).isfinite().all(), f"{name} features become infinite or NaN"
        assert close(norm.double()(h.double()).float(), out), "float64 gives another result"

    draws.each(test, MAPS, 4)


def normalization_gradient(subject: Subject, draws: Draws) -> None:
    """Check that the gradient passes through a normalization, and is finite on zero features."""

    def test(case: Case) -> None:
        shape = feature_shape(case)
        norm = build_or_refuse(case, lambda: make_part("normalizations", subject.name.partition(":")[2], shape))
        for factor in (1.0, 0.0):
            h = (features(shape, case.batch_size, case.seed) * factor).requires_grad_()
            out = norm(h)
            (gradient,) = torch.autograd.grad((out * unlike(out, case.seed)).sum(), h)
            assert gradient.isfinite().all(), "a gradient through it is not finite"
            assert gradient.any() or not factor, "no gradient passes through it"

    draws.each(test, MAPS, 4)
