"""Mistakes found in published Forward-Forward code, each looked for in every rule that ships."""

from __future__ import annotations

import itertools
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

import ffzoo
from ffzoo import hookimpl
from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.algorithms.engine import RecipeAlgorithm, make_goodness_part, make_part
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.step import Step
from ffzoo.algorithms.views import Views
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.partition import partition
from ffzoo.data.batch import Batch
from ffzoo.data.bundle import DataBundle, Preprocess, Split
from ffzoo.errors import RecipeError
from ffzoo.parts.base import Build, Context, FusionBuild, LocalLoss, View
from ffzoo.parts.norms import Normalization
from ffzoo.registry.loader import ZOO
from ffzoo.testing.strategies import Toy, features
from ffzoo.training.fit import Position, Stopwatch, fit

SHAPE, CLASSES = (1, 8, 8), 3
SHIPPED = [entry.name for entry in ZOO["algorithms"] if entry.provenance.distribution == "ffzoo"]
RECIPES = [name for name in SHIPPED if algorithm_spec(name).recipe is not None]
CONTRASTS = [name for name in RECIPES if algorithm_spec(name).recipe.to_json()["negatives"]["name"] != "none"]


def network(channels: int) -> Backbone:
    """Two blocks with batch norm, the cut behind each ReLU."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs in (channels, 12):
        layers += [nn.Conv2d(inputs, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU()]
    return partition(nn.Sequential(*layers), ["2", "5"], torch.randn(2, channels, *SHAPE[1:]))


def built(name: str, backbone: Backbone | str = "cnn") -> RecipeAlgorithm:
    """A registered recipe on images."""
    algorithm = create(algorithm_spec(name), backbone, SHAPE, CLASSES, fit=FitOptions(seed=0, lr=5e-3))
    assert isinstance(algorithm, RecipeAlgorithm)
    return algorithm


def batch_of(rows: int = 12) -> Batch:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, *SHAPE, generator=generator)
    return Batch(x, torch.arange(rows) % CLASSES, torch.arange(rows), 0, generator)


def scores_of(algorithm: RecipeAlgorithm, batch: Batch) -> list[list[Tensor]]:
    """Each block's scores of the positive view, one a term."""
    positive = Views(algorithm.views_of(batch).each[:1], batch.y)
    with torch.no_grad():
        return [[scores[0] for scores in of_terms] for of_terms in algorithm.term_scores(positive, Step.of(batch))]


@pytest.mark.parametrize("name", RECIPES)
def test_a_goodness_differs_from_sample_to_sample(name):
    """Features normalized to one length and then measured by their length all have the same goodness."""
    algorithm = built(name)
    for l, terms in enumerate(scores_of(algorithm, batch_of())):
        for score in terms:
            spread = float(score.std(0).mean())
            assert spread > 1e-3 * float(score.abs().mean()), f"block {l + 1}: {spread:.1e}"


@pytest.mark.parametrize("name", RECIPES)
def test_no_softmax_before_the_cross_entropy(name):
    """Scores of classes are logits: probabilities as logits cannot tell a class with confidence."""
    algorithm = built(name)
    for terms in scores_of(algorithm, batch_of()):
        for score, (goodness, _, _) in zip(terms, algorithm.terms(0), strict=False):
            if goodness.kind == "class":
                assert float((score.exp().sum(1) - 1).abs().min()) > 1e-4  # log-probabilities
                assert float((score.sum(1) - 1).abs().max()) > 1e-4  # probabilities


LOSSES = {entry.name: entry.load() for entry in ZOO["local_losses"]}


def loss_and_context(name: str, rows: int = 12) -> tuple[LocalLoss, Context]:
    """A registered loss of the second of three blocks; other blocks say nothing."""
    loss = make_part("local_losses", name, Build((12,), CLASSES, 1, 3, torch.Generator().manual_seed(0)))
    others = (torch.zeros(rows),) * loss.views
    signs = (1, loss.second)[: loss.views]
    return loss, Context(
        torch.arange(rows) % CLASSES, signs, 1, 3, 0, True, torch.Generator().manual_seed(0), None, others
    )


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if "class" in loss.accepts])
def test_scores_that_are_right_beyond_doubt_cost_nothing(name):
    """With a softmax too many, the loss of K = 3 classes never falls below log(1 + 2 / e) = 0.55."""
    loss, ctx = loss_and_context(name)
    assert float(loss((50.0 * torch.eye(CLASSES)[ctx.y],) * loss.views, ctx)) < 0.1


def test_a_fusion_that_is_right_beyond_doubt_costs_nothing():
    head = make_part("fusions", "concat_linear", FusionBuild(((CLASSES,), (CLASSES,)), CLASSES, "class", 2))
    y = torch.arange(60) % CLASSES
    f = [head.feature(l, torch.eye(CLASSES)[y]) for l in range(2)]
    with torch.no_grad():
        head.linear.weight.copy_(50 * torch.eye(CLASSES).repeat(1, 2))
    assert float(head.loss(f, y)) < 0.1


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.views == 2 and loss.second < 0])
def test_a_loss_falls_with_the_positive_score_and_grows_with_the_negative(name):
    loss, ctx = loss_and_context(name)
    if not {"sample", "map"} & set(loss.accepts):
        pytest.skip("compares no scores that are high for positives")
    shape = (12,) if "sample" in loss.accepts else (12, 5)
    positive, negative = (3 * torch.rand(shape, generator=ctx.generator) for _ in range(2))
    scores = (positive.requires_grad_(), negative.requires_grad_())
    up, down = torch.autograd.grad(loss(scores, ctx), scores)
    assert up.max() <= 0 <= down.min() and up.min() < 0 < down.max()


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if "class" in loss.accepts])
def test_a_loss_falls_with_the_right_class_and_grows_with_the_others(name):
    loss, ctx = loss_and_context(name)
    scores = torch.randn(12, CLASSES, generator=ctx.generator).requires_grad_()
    (gradient,) = torch.autograd.grad(loss((scores,) * loss.views, ctx), scores)
    right = torch.eye(CLASSES, dtype=torch.bool)[ctx.y]
    assert gradient[right].max() <= 0 <= gradient[~right].min() and gradient[right].min() < 0


class Untouchable:
    """A test part: whatever asks it for anything fails."""

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"the test part was asked for its {name}")


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_of_the_training_sees_the_test_part(name):
    """Weights, fusions, probes and epochs are chosen without it."""
    generator = torch.Generator().manual_seed(0)
    train, validation = (
        Split(torch.randn(n, *SHAPE, generator=generator), torch.arange(n) % CLASSES) for n in (24, 12)
    )
    names = tuple(map(str, range(CLASSES)))
    data = DataBundle("toy", train, validation, Untouchable(), CLASSES, SHAPE, (0.0,), (1.0,), names, "", "")
    options = FitOptions(epochs=1, batch_size=12)
    algorithm = create(algorithm_spec(name), "cnn", SHAPE, CLASSES, fit=options)
    preprocess, epochs = Preprocess(data.mean, data.std), []
    fit(algorithm, data, preprocess, options, Position(0, Stopwatch()), lambda metrics: None, epochs.append)
    assert len(epochs) == 1


@pytest.mark.parametrize("name", CONTRASTS)
def test_a_negative_is_never_a_positive(name):
    algorithm = built(name)
    for seed in range(20):
        batch = batch_of(60)
        generator = torch.Generator().manual_seed(seed)
        x, y = algorithm.negatives(batch.x, batch.y, generator, *predicted(algorithm, batch))
        if algorithm.negatives.wrong_labels:
            assert not (y == batch.y).any()
        else:  # no row is any of the batch's own samples
            positive = algorithm.negatives.positive(batch.x)
            assert (
                float(torch.cdist(x.flatten(1), positive.flatten(1), compute_mode="donot_use_mm_for_euclid_dist").min())
                > 1e-3
            )


def predicted(algorithm: RecipeAlgorithm, batch: Batch) -> tuple[Tensor, ...]:
    return (algorithm.predict(batch.x),) if algorithm.negatives.reads_prediction else ()


@pytest.mark.parametrize(
    "name", [n for n in CONTRASTS if algorithm_spec(n).recipe.to_json()["label_embedding"] != "none"]
)
def test_a_positive_scores_higher_than_its_negative_after_training(name):
    """Some published code has the sign of the goodness the other way round, and learns to be wrong."""
    algorithm = built(name, "mlp")
    if algorithm.negatives.sign > 0 or algorithm.meaning.score != "sample":
        pytest.skip("compares no positive with a negative score")
    toy, epochs = Toy(SHAPE, CLASSES), 15
    algorithm.start(toy, epochs)
    for _ in range(epochs):
        metrics = [algorithm.train_step(batch) for batch in toy]
    pairs = [float(sum(m[key] for m in metrics)) / len(metrics) for key in metrics[0] if key.startswith("pairs/")]
    assert pairs and max(pairs) > 0.7 and min(pairs) > 0.5, pairs


@pytest.mark.parametrize("name", CONTRASTS)
def test_positives_and_negatives_do_not_share_batch_statistics(name):
    """One BatchNorm batch of both tells a block which is which."""
    embedding = make_part("label_embeddings", algorithm_spec(name).recipe.label_embedding, CLASSES)
    algorithm = built(name, network(embedding.input_shape(SHAPE)[0]))
    batch = batch_of()
    views = [view for view in algorithm.views_of(batch) if view.sign]
    algorithm.train()

    def alone(view: View) -> list[list[Tensor]]:
        """Scores of one view by block and term, its statistics its own."""
        found = algorithm.term_scores(Views((view,), batch.y), Step.of(batch))
        return [[scores[0] for scores in of_terms] for of_terms in found]

    scores = [alone(view) for view in views]
    rests = algorithm.isolation == "overlap"  # pairs alternate, and a block has no loss of its own in every second step
    losses = algorithm.losses(batch_of())[: algorithm.backbone.depth]
    assert any(map(float, losses))
    for l, found in enumerate(losses):
        if rests and not float(found):
            continue
        others = tuple(sum(block[0].detach() for k, block in enumerate(of) if k != l) for of in scores)
        needed = others if "others" in algorithm.meaning.requires else ()
        ctx = algorithm.context(Views(tuple(views), batch.y), Step.of(batch), l, needed)
        expected = sum(
            weight * loss(tuple(of[l][term] for of in scores[: loss.views]), ctx)
            for term, (_, loss, weight) in enumerate(algorithm.terms(l))
        )
        torch.testing.assert_close(found, expected, msg=lambda text, l=l: f"block {l + 1}: {text}")


class Gain(Normalization):
    """A layer norm with gain and bias, which none that ships has."""

    def __init__(self, config: None, shape: tuple[int, ...]) -> None:
        super().__init__(config, shape)
        self.norm = nn.GroupNorm(1, shape[0])

    def forward(self, h: Tensor) -> Tensor:
        return self.norm(h)


@pytest.mark.parametrize("name", [n for n in RECIPES if algorithm_spec(n).recipe.train_blocks])
def test_a_gain_behind_the_cut_is_trained_by_the_block_it_stands_in_front_of(name):
    """A norm's gain behind the detach gets no gradient from the block before: somebody has to own it."""
    module = ModuleType("gain")
    module.register_normalizations = hookimpl(lambda register: register("gain", Gain, summary="a gain"))
    with ffzoo.use(module, "gain"):
        algorithm = create(
            algorithm_spec(name, {"forward_norm": "gain"}), "cnn", SHAPE, CLASSES, fit=FitOptions(lr=0.01)
        )
        before = {key: value.clone() for key, value in algorithm.state_dict().items()}
        toy = Toy(SHAPE, CLASSES)
        algorithm.start(toy, 1)
        for batch in toy:
            algorithm.train_step(batch)
        moved = {key for key, value in algorithm.state_dict().items() if not torch.equal(value, before[key])}
        gains = [key for key in before if key.startswith("norms.") and key.endswith(".norm.weight")]
        assert gains
        for key in gains:
            block = int(key.split(".")[1])
            assert algorithm.owner(key) == block
            learns = any(algorithm.owner(k) == block and k.startswith("backbone") for k in moved)
            assert (key in moved) == learns, key


def scored_by_every_goodness() -> dict[str, Tensor]:
    """Scores of the same features, flat, of every registered goodness that needs no network of a certain kind."""
    found: dict[str, Tensor] = {}
    for entry in ZOO["goodness"]:
        build = Build((12, 8, 8), CLASSES, 0, 2, torch.Generator().manual_seed(0))
        try:
            goodness = make_goodness_part(entry.name, build, network(1)).eval()
        except RecipeError:
            continue
        if not goodness.reads_output and goodness.kind in ("sample", "class", "map"):
            ctx = Context(torch.arange(9) % CLASSES, (1,), 0, 2, 0, False, None)
            found[entry.name] = goodness(features((12, 8, 8), 9, 0), ctx).detach().reshape(9, -1)
    return found


def test_every_registered_goodness_differs_from_sample_to_sample():
    found = scored_by_every_goodness()
    assert {"sum_squares", "mean_squares", "top_k", "entmax_energy", "kurtosis", "projection"} <= found.keys()
    for name, score in found.items():
        assert float(score.std(0).mean()) > 1e-3 * float(score.abs().mean()), name


def test_no_two_goodness_functions_are_the_same():
    """A third of one published collection are the sum of squares under other names, or times a number."""
    found = {name: score / score.mean() for name, score in scored_by_every_goodness().items()}
    for (a, first), (b, second) in itertools.combinations(found.items(), 2):
        if {a, b} != {"sum_squares", "mean_squares"} and first.shape == second.shape:
            assert not torch.allclose(first, second, rtol=1e-3), f"{a} and {b}"


def test_every_rule_that_ships_is_meant():
    assert set(SHIPPED) == set(ffzoo.list_algorithms())
