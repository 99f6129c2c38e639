"""What a rule may ask of the engine beyond its own block: overlaps, schedules, other blocks' scores, labels, probes."""

from __future__ import annotations

import copy
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ffzoo
from ffzoo import Recipe, Term, hookimpl
from ffzoo.algorithms.build import algorithm_spec
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.step import Step
from ffzoo.backbones.native import MLPBackbone
from ffzoo.backbones.options import MLP
from ffzoo.data.batch import Batch
from ffzoo.errors import NotFittedError, RecipeError
from ffzoo.parts.base import Context, Goodness, LabelEmbedding, LocalLoss, Negatives
from ffzoo.parts.options import Probe, Projection, Windows
from ffzoo.testing import check_algorithm
from ffzoo.testing.strategies import Toy

LEARNED = Term(Projection(power=1, projection="learned", temperature=1.0), "cross_entropy")


def built(recipe: Recipe, depth: int = 4, inputs: int = 12) -> RecipeAlgorithm:
    torch.manual_seed(0)
    return RecipeAlgorithm(MLPBackbone(MLP(8, depth), (inputs,)), 4, recipe, FitOptions(optimizer="sgd", lr=0.1))


def batch_of(size: int = 8, inputs: int = 12) -> Batch:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(size, inputs, generator=generator)
    return Batch(x, torch.arange(size) % 4, torch.arange(size), 0, generator)


def moved(algorithm: RecipeAlgorithm, batch: Batch) -> list[int]:
    """The blocks whose weights a step changes."""
    before = [copy.deepcopy(algorithm.backbone.block_parameters(l)) for l in range(algorithm.backbone.depth)]
    algorithm.train_step(batch)
    after = [algorithm.backbone.block_parameters(l) for l in range(algorithm.backbone.depth)]
    return [l for l, (a, b) in enumerate(zip(after, before, strict=True)) if not all(map(torch.equal, a, b))]


def test_an_overlap_teaches_pairs_and_alternates():
    algorithm = built(Recipe(terms=(LEARNED,), isolation="overlap"))
    for ends in ([1, 3], [0, 2], [1, 3]):
        losses = algorithm.losses(batch_of())
        assert [l for l, loss in enumerate(losses) if loss.requires_grad] == ends
        for l in ends:
            weights = [block.linear.weight for block in algorithm.backbone.blocks]
            gradients = torch.autograd.grad(losses[l], weights, allow_unused=True, retain_graph=True)
            assert [k for k, g in enumerate(gradients) if g is not None] == [k for k in (l - 1, l) if k >= 0]
        taught = sorted({k for l in ends for k in (l - 1, l) if k >= 0})
        assert moved(algorithm, batch_of()) == taught


def test_a_greedy_schedule_trains_one_block_at_a_time():
    algorithm = built(Recipe(terms=(LEARNED,), schedule="greedy"), depth=3)
    algorithm.start(Toy((12,), 4, steps=2), 3)
    assert [moved(algorithm, batch_of()) for _ in range(6)] == [[0], [0], [1], [1], [2], [2]]


def test_windows_close_one_after_the_other_and_rates_run_inside_them():
    algorithm = built(Recipe(terms=(LEARNED,), schedule=Windows(first=0.5)), depth=3)
    algorithm.start(Toy((12,), 4, steps=8), 1)
    rates, trained = [], []
    for _ in range(8):
        trained.append(moved(algorithm, batch_of()))
        rates.append([algorithm.optimizers._by_owner[str(l)][0].param_groups[0]["lr"] for l in range(3)])
    assert trained == [[0, 1, 2]] * 4 + [[1, 2]] * 2 + [[2]] * 2
    assert rates[3][0] < rates[3][1] < rates[3][2]  # the first block is about to end


@pytest.mark.parametrize("recipe", ["overlap", "greedy", "windows"])
def test_the_kit_passes_what_it_should(recipe):
    base = algorithm_spec("dtg_ff").recipe
    changed = base.replace(isolation=recipe) if recipe == "overlap" else base.replace(schedule=recipe)
    names = ["locality_structural", "update_equals_gradient", "streaming_equals_all_at_once", "micro_batches"]
    names += ["resume_bit_identical", "owner_covers_state", "locality_black_box", "finite_differences"]
    for result in check_algorithm(changed, checks=names):
        assert result.status == "passed"


class Seen(LocalLoss):
    """Cross-entropy that remembers what it was told."""

    accepts = ("class",)
    requires = ("others", "input")
    coupling = "values"
    told: ClassVar[list[Context]] = []

    def forward(self, scores, ctx):
        self.told.append(ctx)
        return F.cross_entropy(scores[0] + ctx.others[0], ctx.y)


class Shift(LabelEmbedding):
    """A learned vector a class and block, added to what the block reads."""

    per_block = True

    def attach(self, input_shape, shapes, generator):
        sizes = [input_shape, *shapes[:-1]]
        self.codes = nn.ParameterList(torch.randn(self.num_classes, s[0], generator=generator) for s in sizes)

    def forward(self, x, y):
        return self.inject(0, x, y)

    def inject(self, block, u, y):
        code = self.codes[block]
        code = code.mean(0)[None] if y is None else code[y]
        return u + code.view(*code.shape, *[1] * (u.dim() - 2))

    def owner(self, name):
        return int(name.split(".")[1])


class Twice(Negatives):
    """A second positive view; the first is doubled."""

    sign = 1
    reads_prediction = True
    coupling = "feedback"

    def positive(self, x):
        return 2 * x

    def forward(self, x, y, generator, prediction):
        assert prediction.shape == (len(x), self.num_classes) and not prediction.requires_grad
        return 3 * x, y


class Both(LocalLoss):
    """The distance of two positive views."""

    views = 2
    second = 1

    def forward(self, scores, ctx):
        assert ctx.signs == (1, 1)
        return (scores[0] - scores[1]).square().mean()


class Away(Goodness):
    """The sum of squares, which knows the backbone and the training part."""

    def attach(self, backbone):
        self.blocks = backbone.depth

    def prepare(self, train):
        self.samples = len(train)

    def forward(self, h, ctx):
        return h.square().sum(1)


class Plugin:
    @hookimpl
    def register_local_losses(self, register):
        register("seen", Seen, summary="cross-entropy")
        register("both", Both, summary="distance")

    @hookimpl
    def register_label_embeddings(self, register):
        register("shift", Shift, summary="a vector a class and block")

    @hookimpl
    def register_negatives(self, register):
        register("twice", Twice, summary="a second positive view")

    @hookimpl
    def register_goodness(self, register):
        register("away", Away, summary="sum of squares")


@pytest.fixture
def plugin():
    with ffzoo.use(Plugin()):
        yield


def test_other_blocks_scores_and_the_input_are_there_for_those_who_ask(plugin):
    algorithm = built(Recipe(terms=(Term(LEARNED.goodness, "seen"),)), depth=3)
    assert algorithm.coupling == "values"
    batch = batch_of()
    _, blocks = algorithm.scores(batch.x)
    Seen.told.clear()
    algorithm.train_step(batch)
    for l, ctx in enumerate(Seen.told):
        expected = sum(z for k, z in enumerate(blocks) if k != l)
        torch.testing.assert_close(ctx.others[0], expected)  # all of before the step, though earlier blocks moved
        assert not ctx.others[0].requires_grad
        assert torch.equal(ctx.x, batch.x)
    check_algorithm(Recipe(terms=(Term(LEARNED.goodness, "seen"),)), checks=["locality_black_box", "micro_batches"])
    plain = built(Recipe(terms=(LEARNED,)))
    assert plain.context(plain.views_of(batch), Step.of(batch), 0).x is None


def test_labels_enter_every_block_and_are_learned_there(plugin):
    recipe = Recipe(
        terms=(Term("mean_squares", "logistic"),), label_embedding="shift", negatives="wrong_label", forward_norm="rms"
    )
    algorithm = built(recipe, depth=3)
    with torch.no_grad():
        x, y = batch_of().x, batch_of().y
        u, codes = x, algorithm.label_embedding.codes
        features: list[torch.Tensor] = []
        algorithm.walk(algorithm.label_embedding(x, y), lambda l, out: not features.append(out), [y])
        for l, h in enumerate(features):
            expected = F.relu(algorithm.backbone.blocks[l].linear(u + codes[l][y]))
            torch.testing.assert_close(h, expected)
            u = F.rms_norm(h, h.shape[1:], eps=1e-8) if l < 2 else h
    names = ["locality_structural", "locality_black_box", "update_equals_gradient", "owner_covers_state"]
    names += ["streaming_equals_all_at_once", "micro_batches", "resume_bit_identical"]
    before = [code.detach().clone() for code in codes]
    algorithm.train_step(batch_of())
    assert not any(map(torch.equal, before, codes))
    for result in check_algorithm(recipe.replace(fusion="last"), checks=names):
        assert result.status == "passed", result.reason


def test_a_second_view_may_be_positive_and_read_the_prediction(plugin):
    recipe = Recipe(terms=(Term("away", "both"),), negatives="twice", fusion="concat_linear")
    algorithm = built(recipe)
    first, second = algorithm.views_of(batch_of())
    assert (first.sign, second.sign) == (1, 1)
    assert torch.equal(first.x, 2 * batch_of().x) and torch.equal(second.x, 3 * batch_of().x)
    torch.testing.assert_close(
        algorithm.features(batch_of().x)[0], F.relu(algorithm.backbone.blocks[0].linear(first.x))
    )
    assert algorithm.coupling == "feedback"
    with pytest.raises(RecipeError, match="a positive view"):
        built(recipe.replace(negatives="hybrid_images"))


def test_a_goodness_meets_the_backbone_and_the_training_part(plugin):
    recipe = Recipe(terms=(Term("away", "logistic"),), label_embedding="overlay", negatives="wrong_label")
    algorithm = built(recipe)
    algorithm.start(Toy((12,), 4), 1)
    parts = [goodness for l in range(4) for goodness, _, _ in algorithm.terms(l)]
    assert [part.blocks for part in parts] == [4] * 4
    assert {part.samples for part in parts} == {128}


def test_frozen_blocks_stay_and_their_goodness_learns():
    algorithm = built(Recipe(terms=(LEARNED,), train_blocks=False))
    heads = [algorithm.terms(l)[0][0].projection.detach().clone() for l in range(4)]
    assert moved(algorithm, batch_of()) == []
    assert not any(torch.equal(algorithm.terms(l)[0][0].projection, heads[l]) for l in range(4))
    nothing = built(algorithm_spec("dtg_ff_gap").recipe.set({"goodness.temperature": 1.0, "train_blocks": False}))
    nothing.train_step(batch_of())  # nothing to train is no error


def test_a_probe_is_fitted_after_training_on_the_training_part():
    toy = Toy((12,), 4, steps=8)
    algorithm = built(Recipe(terms=(LEARNED,), train_blocks=False, fusion=Probe(l2=1e-3)))
    x, y = next(iter(toy)).x, next(iter(toy)).y
    with pytest.raises(NotFittedError, match=r"algorithm\.finish"):
        algorithm.predict(x)
    algorithm.finish(toy, None)
    assert float((algorithm.predict(x).argmax(1) == y).float().mean()) > 0.95
    f = torch.cat([torch.cat(algorithm.fusion_features(b.x), 1) for b in toy])
    z = (f - f.mean(0)) * torch.where(f.std(0, correction=0) > 1e-6, 1 / f.std(0, correction=0), 0.0)
    weight = algorithm.fusion_head.weight.clone().requires_grad_()
    loss = F.cross_entropy(F.linear(z, weight, algorithm.fusion_head.bias), torch.cat([b.y for b in toy]))
    (loss + 1e-3 * weight.square().sum()).backward()
    assert float(weight.grad.abs().max()) < 2e-3  # a minimum
