"""Mistakes found in published Forward-Forward code, each looked for in every rule that ships."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

import ffzoo
from ffzoo.algorithm import Batch
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.partition import partition
from ffzoo.build import algorithm_spec, create
from ffzoo.engine import RecipeAlgorithm, make_goodness_part, make_part
from ffzoo.errors import RecipeError
from ffzoo.loader import ZOO
from ffzoo.parts.base import Build, Context
from ffzoo.testing.strategies import Toy, features
from ffzoo.training.options import FitOptions

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
    views = algorithm._views(batch)[:1]
    found: list[list[Tensor]] = []

    def visit(l: int, out: object) -> object:
        ctx = algorithm._context(views, batch.y, batch, l)
        h = algorithm.backbone.features(l, out)
        found.append([algorithm._scores_of(g, h, out, 1, ctx)[0] for g, _, _ in algorithm.terms(l)])
        return algorithm._pass_on(l, out, [v.y for v in views])

    with torch.no_grad():
        algorithm.backbone.walk(algorithm._joined(views), visit)
    return found


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


@pytest.mark.parametrize("name", CONTRASTS)
def test_a_negative_is_never_a_positive(name):
    algorithm = built(name)
    if not algorithm.negatives.wrong_labels:
        batch = batch_of()
        x, _ = algorithm.negatives(batch.x, batch.y, batch.generator, *predicted(algorithm, batch))
        same = (x - algorithm.negatives.positive(batch.x)).flatten(1).abs().amax(1) == 0
        assert not same.any()
        return
    for seed in range(20):
        batch = batch_of(60)
        generator = torch.Generator().manual_seed(seed)
        _, y = algorithm.negatives(batch.x, batch.y, generator, *predicted(algorithm, batch))
        assert not (y == batch.y).any()


def predicted(algorithm: RecipeAlgorithm, batch: Batch) -> tuple[Tensor, ...]:
    return (algorithm.predict(batch.x),) if algorithm.negatives.reads_prediction else ()


@pytest.mark.parametrize(
    "name", [n for n in CONTRASTS if algorithm_spec(n).recipe.to_json()["label_embedding"] != "none"]
)
def test_a_positive_scores_higher_than_its_negative_after_training(name):
    """Some published code has the sign of the goodness the other way round, and learns to be wrong."""
    algorithm = built(name, "mlp")
    if algorithm.negatives.sign > 0 or algorithm.score_kind != "sample":
        pytest.skip("compares no positive with a negative score")
    toy, epochs = Toy(SHAPE, CLASSES), 15
    algorithm.start(toy, epochs)
    for _ in range(epochs):
        metrics = [algorithm.train_step(batch) for batch in toy]
    pairs = [float(sum(m[key] for m in metrics)) / len(metrics) for key in metrics[0] if key.startswith("pairs/")]
    assert pairs and max(pairs) > 0.7, pairs


@pytest.mark.parametrize("name", CONTRASTS)
def test_positives_and_negatives_do_not_share_batch_statistics(name):
    """One BatchNorm batch of both tells a block which is which."""
    embedding = make_part("label_embeddings", algorithm_spec(name).recipe.label_embedding, CLASSES)
    algorithm = built(name, network(embedding.input_shape(SHAPE)[0]))
    if "others" in algorithm.required or len(algorithm.terms(0)) > 1:
        pytest.skip("reads other blocks, or has several terms")
    batch = batch_of()
    views = [v for v in algorithm._views(batch) if v.sign]
    ((goodness, loss, weight),) = algorithm.terms(0)
    first: list[Tensor] = []

    def visit(l: int, out: Tensor) -> Tensor:
        if l == 0:
            first.append(out)
        return out.clone()

    algorithm.train()
    algorithm.step_count = 1  # where pairs alternate, the first block's own loss counts in every second step
    ctx = algorithm._context(views, batch.y, batch, 0)
    scores = []
    for view in views:
        algorithm.backbone.walk(algorithm._joined([view]), visit)
        scores.append(goodness(algorithm._read_by(goodness, 0, algorithm.backbone.features(0, first[-1])), ctx))
    expected = weight * loss(tuple(scores[: loss.views]), ctx)
    torch.testing.assert_close(algorithm.losses(batch_of())[0], expected)


@pytest.mark.parametrize("name", RECIPES)
def test_a_gain_behind_the_cut_is_trained_by_the_block_it_stands_in_front_of(name):
    """A norm's gain behind the detach gets no gradient from the block before: somebody has to own it."""
    algorithm = built(name)
    for l, norm in enumerate(algorithm.norms):
        own = {id(p) for p in algorithm.own_parameters(l)}
        assert all(id(p) in own for p in norm.parameters())
        assert all(algorithm.owner(f"norms.{l}.{key}") == l for key in norm.state_dict())


def test_no_two_goodness_functions_are_the_same():
    """A third of one published collection are the sum of squares under other names."""
    found: dict[str, Tensor] = {}
    for entry in ZOO["goodness"]:
        build = Build((12, 8, 8), CLASSES, 0, 2, torch.Generator().manual_seed(0))
        try:
            goodness = make_goodness_part(entry.name, build, network(1)).eval()
        except RecipeError:
            continue  # it wants a network of a certain kind
        if goodness.kind != "sample" or goodness.reads_output:
            continue
        ctx = Context(torch.arange(9) % CLASSES, (1,), 0, 2, 0, False, None)
        found[entry.name] = goodness(features((12, 8, 8), 9, 0), ctx).detach()
    assert {"sum_squares", "mean_squares"} <= found.keys()
    for (a, first), (b, second) in itertools.combinations(found.items(), 2):
        assert not torch.allclose(first, second, rtol=1e-3), f"{a} and {b}"


def test_every_rule_that_ships_is_meant():
    assert set(SHIPPED) == set(ffzoo.list_algorithms())
