"""Learning without autograd: every closed form against the graph it replaces."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils import parametrizations
from torch.utils._python_dispatch import TorchDispatchMode

from ffzoo import Recipe, Term
from ffzoo.algorithms.build import create
from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.backbones.native import CNNBackbone, ConvBlock, SequentialBackbone
from ffzoo.data.batch import Batch
from ffzoo.measure.memory import step_cost
from ffzoo.parts import options
from ffzoo.parts.base import Build, Context
from ffzoo.parts.goodness import MeanSquares, SumSquares
from ffzoo.parts.losses import CrossEntropy, Logistic
from ffzoo.parts.projection import Projection
from ffzoo.run.spec import make_run
from ffzoo.run.trained import build_algorithm

shapes = st.one_of(st.tuples(st.integers(4, 9)), st.tuples(st.integers(4, 7), st.integers(1, 7), st.integers(1, 7)))
projections = st.builds(
    options.Projection,
    power=st.sampled_from([1, 2]),
    grid=st.one_of(st.integers(1, 8), st.just("all")),
    max_features=st.sampled_from([0, 20]),
    pool=st.sampled_from(["mean", "sum"]),
    l2=st.sampled_from(["none", "position", "pooled"]),
    projection=st.sampled_from(["random", "orthogonal", "learned"]),
    bias=st.sampled_from(["none", "frozen", "learned"]),
    prototypes=st.integers(1, 3),
    temperature=st.one_of(st.floats(0.2, 3), st.just("learned")),
    clamp=st.sampled_from([0.0, 0.5, 50.0]),
    unit=st.booleans(),
)
projections |= st.builds(options.Projection, projection=st.just("groups"), power=st.sampled_from([1, 2]))
projections |= st.builds(
    options.Projection,
    projection=st.sampled_from(["waves", "learned", "embeddings", "random"]),
    wave=st.sampled_from(["square", "sine"]),
    mix=st.sampled_from(["scale", "matrix"]),
    l2=st.sampled_from(["none", "pooled"]),
    unit=st.booleans(),
)


def check_part(goodness, loss, shape, batch, classes, channels_last, generator):
    """pull_back equals autograd at the input of the ReLU and at every parameter."""
    goodness.double()
    before = [torch.randn(batch, *shape, generator=generator).double() for _ in range(loss.views)]
    if channels_last and len(shape) == 3:
        before = [x.contiguous(memory_format=torch.channels_last) for x in before]
    before = [x.requires_grad_() for x in before]
    y = torch.randint(classes, (batch,), generator=generator)
    ctx = Context(y, (1, -1)[: loss.views], 0, 1, 0, True, generator)
    plain = loss(tuple(goodness(x.relu(), ctx) for x in before), ctx)
    plain.backward()
    parameters = dict(goodness.named_parameters())
    expected = {name: p.grad for name, p in parameters.items()}
    goodness.zero_grad()
    with torch.no_grad():
        features = [x.relu() for x in before]
        scored = [goodness.scored(h, ctx) for h in features]
        value, gradients = loss.gradient(tuple(score for score, _ in scored), ctx)
        pulled = [goodness.pull_back(h, kept, d) for h, (_, kept), d in zip(features, scored, gradients, strict=True)]
    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(value, plain.detach(), **close)
    for (d, _), h, x in zip(pulled, features, before, strict=True):
        torch.testing.assert_close(d, x.grad, **close)
        assert d.stride() == h.stride() or 1 in d.shape
    for name in parameters:
        torch.testing.assert_close(sum(found[name] for _, found in pulled), expected[name], **close)
    assert all(found.keys() == expected.keys() for _, found in pulled)


@given(projections, shapes, st.integers(2, 4), st.integers(1, 5), st.booleans(), st.floats(0, 0.5), st.integers(0, 99))
def test_class_goodness(config, shape, classes, batch, channels_last, smoothing, seed):
    generator = torch.Generator().manual_seed(seed)
    part = Build(tuple(shape), classes, 0, 1, generator, smoothing)
    goodness = Projection(config, part)
    if config.temperature == "learned":
        with torch.no_grad():
            goodness.alpha.fill_(float(torch.randn((), generator=generator)))
    check_part(goodness, CrossEntropy(None, part), shape, batch, classes, channels_last, generator)


@given(st.sampled_from([SumSquares, MeanSquares]), shapes, st.integers(1, 5), st.booleans(), st.integers(0, 99))
def test_sample_goodness(kind, shape, batch, channels_last, seed):
    generator = torch.Generator().manual_seed(seed)
    part = Build(tuple(shape), 2, 0, 1, generator)
    # A small scale: beyond 20, torch's softplus is linear and its gradient off by 2e-9.
    loss = Logistic(options.Logistic(threshold=0.7, scale=0.03), part)
    check_part(kind(None, part), loss, shape, batch, 2, channels_last, generator)


def build(algo, backbone, shape, classes, settings):
    torch.manual_seed(0)
    config = make_run(
        algo, "digits", backbone=backbone, settings={"fit.optimizer": "sgd", "fit.lr": "0.01", **settings}
    )
    return build_algorithm(config, shape, classes, torch.device("cpu"))


CASES = [
    ("dtg_ff", "cnn", (3, 28, 28), {"backbone.width": 8, "backbone.depth": 4}),
    ("dtg_ff", "cnn", (3, 28, 28), {"backbone.width": 8, "backbone.depth": 4, "forward_norm": "none"}),
    ("dtg_ff", "cnn", (3, 16, 16), {"backbone.width": 8, "fusion": "concat_linear", "fit.label_smoothing": 0.2}),
    ("dtg_ff_gap", "cnn", (3, 16, 16), {"backbone.width": 8}),
    ("dtg_ff", "mlp", (1, 8, 8), {"backbone.width": 40, "goodness.projection": "learned", "goodness.bias": "learned"}),
    ("vanilla_ff", "mlp", (1, 8, 8), {"backbone.width": 40}),
    ("vanilla_ff", "mlp", (1, 8, 8), {"backbone.width": 40, "fusion": "concat_linear"}),
    ("vanilla_ff", "cnn", (1, 16, 16), {"backbone.width": 8}),
    ("vanilla_ff_unsup", "mlp", (1, 8, 8), {"backbone.width": 40}),
]


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize(("algo", "backbone", "shape", "settings"), CASES)
@pytest.mark.parametrize(
    ("dtype", "precision", "tolerance"),
    [(torch.float64, "fp32", 1e-10), (torch.float32, "fp32", 2e-5), (torch.float32, "bf16", 2e-2)],
)
def test_steps_are_those_of_autograd(algo, backbone, shape, settings, memory_format, dtype, precision, tolerance):
    plain = build(algo, backbone, shape, 10, settings).to(dtype)
    closed = copy.deepcopy(plain)
    how = Execution(memory_format=memory_format, precision=precision, micro_batch=4)
    plain.run_as(dataclasses.replace(how, closed_form=False))
    closed.run_as(how)
    x, y = torch.randn(6, *shape, dtype=dtype), torch.randint(10, (6,))
    for seed in range(3):
        metrics = [a.train_step(Batch(x, y, generator=torch.Generator().manual_seed(seed))) for a in (plain, closed)]
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(closed.state_dict()[name], value, rtol=tolerance, atol=tolerance, msg=name)
    assert metrics[0].keys() == metrics[1].keys()
    for name, value in metrics[0].items():
        if precision == "fp32":
            torch.testing.assert_close(metrics[1][name], value, rtol=tolerance, atol=tolerance, msg=name)


def test_weights_that_lie_otherwise_than_their_gradient():
    plain = build("dtg_ff", "cnn", (3, 8, 8), 3, {"backbone.width": 4, "backbone.depth": 2})
    other = copy.deepcopy(plain)
    other.backbone.to(memory_format=torch.contiguous_format)
    batch = Batch(torch.randn(4, 3, 8, 8), torch.randint(3, (4,)))
    for algorithm in (plain, other):
        algorithm.train_step(batch)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, msg=name)


class Backwards(TorchDispatchMode):
    """Counts backward kernels that only autograd calls, and convolutions' gradients at their input."""

    def __init__(self):
        super().__init__()
        self.relu = self.at_input = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.relu += func is torch.ops.aten.threshold_backward.default
        if func is torch.ops.aten.convolution_backward.default:
            self.at_input += bool(args[-1][0])
        return func(*args, **(kwargs or {}))


def doubled(self, h, ctx=None):
    return 2 * Projection.forward(self, h, ctx)


def backwards(algorithm, shape=(3, 8, 8)):
    with Backwards() as seen:
        algorithm.train_step(Batch(torch.randn(4, *shape), torch.randint(3, (4,))))
    return seen.relu, seen.at_input


def test_a_closed_form_builds_no_graph():
    settings = {"backbone.width": 4, "backbone.depth": 3}
    algorithm = build("dtg_ff", "cnn", (3, 8, 8), 3, settings)
    assert backwards(algorithm) == (0, 0)
    algorithm.run_as(Execution(closed_form=False))
    assert backwards(algorithm)[0] == 3
    assert backwards(build("bp", "cnn", (3, 8, 8), 3, settings))[1] == 2


CHANGES = [
    *("two terms", "goodness norm", "one hop", "goodness subclass", "another walk", "another padding"),
    *("layer subclass", "parametrized", "hooked", "parameter hook"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_no_closed_form_takes_the_graph(change):
    recipe = Recipe((Term("projection", "cross_entropy"),), fusion="sum")
    if change == "two terms":
        recipe = recipe.replace(terms=recipe.terms * 2)
    if change == "goodness norm":
        recipe = recipe.replace(goodness_norm="l2")
    if change == "one hop":
        recipe = recipe.replace(fusion="concat_linear", fusion_grad="one_hop")
    algorithm = create(recipe, "cnn", (3, 8, 8), 3, fit=FitOptions())
    layer = algorithm.backbone.blocks[1].conv
    if change == "parametrized":
        parametrizations.weight_norm(layer)
    if change == "hooked":
        layer.register_forward_hook(lambda module, given, out: 2 * out)
    if change == "goodness subclass":  # it inherits a closed form that is no longer its own
        algorithm.goodness[1][0].__class__ = type("Doubled", (Projection,), {"forward": doubled})
    if change == "another walk":
        algorithm.backbone.__class__ = type("Doubled", (CNNBackbone,), {"features": lambda self, l, out: 2 * out})
    if change == "another padding":
        layer.padding_mode = "reflect"
        layer._reversed_padding_repeated_twice = [1, 1, 1, 1]
    if change == "layer subclass":
        layer.__class__ = type(
            "Doubled", (torch.nn.Conv2d,), {"forward": lambda self, x: 2 * torch.nn.Conv2d.forward(self, x)}
        )
    if change == "parameter hook":
        layer.weight.register_hook(lambda gradient: 0 * gradient)
    assert backwards(algorithm)[0] > 0


def test_what_is_kept_is_a_blocks_input_and_output_and_its_logits_whatever_the_depth():
    batch = Batch(torch.randn(4, 5, 8, 8), torch.randint(3, (4,)))
    for depth in (2, 9):
        chain = SequentialBackbone("chain", (5, 8, 8), [ConvBlock(5, 5) for _ in range(depth)], [(5, 8, 8)] * depth)
        algorithm = create("dtg_ff", chain, (5, 8, 8), 3)
        logits_and_temperature = 4 * 3 + 1
        assert step_cost(algorithm, batch).saved_activation_bytes == 4 * (2 * 4 * 5 * 64 + logits_and_temperature)
