"""Label embeddings that a convolution sees everywhere, and which one a backbone gets."""

from __future__ import annotations

import copy

import pytest
import torch

import ffzoo
from ffzoo import Recipe, Term
from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.algorithms.making import label_embedding
from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.backbones.options import CNN, MLP
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError
from ffzoo.parts import labels, options
from ffzoo.registry.loader import ZOO

CLASSES = 30
"""More than a 5x5 map has places."""

SHAPE = (1, 5, 5)
WIDTHS = [4, 8, 16, 16]
OVERLAID = ["vanilla_ff", "vanilla_ff_hard", "vanilla_ff_peer", "layer_collaboration", "polar_ffa", "integrated_ff"]
"""The rules whose papers write the label over the first K inputs."""


def batch() -> Batch:
    generator = torch.Generator().manual_seed(3)
    x, y = torch.randn(6, *SHAPE, generator=generator), torch.randint(CLASSES, (6,), generator=generator)
    return Batch(x, y, generator=torch.Generator().manual_seed(5))


def cnn(algo="vanilla_ff", *, fit=None, classes=CLASSES, **settings):
    """Return a rule on four convolutions whose maps are 5x5, 2x2, 2x2 and 2x2."""
    return create(algorithm_spec(algo, settings), "cnn", SHAPE, classes, fit=fit, backbone_config=CNN(width=4, depth=4))


def reads(algorithm, x, y):
    """Return what each block reads of inputs with a label."""
    found = []
    handles = [
        block.register_forward_pre_hook(lambda module, args: found.append(args[0].clone()))
        for block in algorithm.backbone.blocks
    ]
    algorithm.walk(algorithm.label_embedding(x, y), lambda l, out: True, [y])
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("name", OVERLAID)
def test_rules_with_an_overlay_write_it_on_vectors_alone(name):
    recipe = algorithm_spec(name).recipe
    assert recipe.to_json()["label_embedding"] == {"name": "auto", "value": 5.0, "scale": 1.0}
    on_map = create(name, "cnn", (1, 8, 8), 10, backbone_config=CNN(width=10, depth=4))
    on_vector = create(name, "mlp", (1, 8, 8), 10, backbone_config=MLP(width=10))
    assert type(on_map.label_embedding) is labels.Waves and on_map.label_embedding.per_block
    assert type(on_vector.label_embedding) is labels.Overlay and on_vector.label_embedding.value == 5
    assert on_map.backbone.input_shape == on_vector.backbone.input_shape == (1, 8, 8)


def test_no_shipped_rule_writes_over_the_first_pixels_of_a_map():
    """A rule added later with a bare overlay would stand at chance on convolutions."""
    for name in ZOO["algorithms"].names():
        recipe = algorithm_spec(name).recipe
        assert recipe is None or recipe.to_json()["label_embedding"]["name"] != "overlay", name


def test_a_chosen_overlay_stays_one_on_maps():
    algorithm = cnn(label_embedding="overlay", classes=10)
    assert type(algorithm.label_embedding) is labels.Overlay


def test_waves_reach_every_place_of_every_block_with_more_classes_than_places():
    algorithm = cnn()
    x = batch().x
    some, other = (reads(algorithm, x, torch.full((6,), k)) for k in (3, 4))
    for l, (u, v) in enumerate(zip(some, other, strict=True)):
        assert u.shape == (6, *([(1, 5, 5), (4, 2, 2), (8, 2, 2), (16, 2, 2)][l]))
        assert bool((u != v).all()), f"block {l + 1} reads a place without the label"
    first = reads(cnn(**{"label_embedding": "waves", "label_embedding.blocks": "first"}), x, torch.zeros(6).long())
    assert first[0].shape == x.shape


def test_a_pattern_has_the_scale_as_root_mean_square_and_the_neutral_label_is_the_mean():
    embedding = labels.Waves(options.Waves(scale=2.0), 50)
    embedding.attach((3, 32, 32), [(6, 40, 40), (7, 20, 20), (9,)], torch.Generator().manual_seed(0))
    assert embedding.pictures.shape == (50, 40, 40)  # the largest map that a block reads
    assert float(embedding.pictures.square().mean().sqrt()) == pytest.approx(2.0, rel=0.05)
    zero = torch.zeros(50, 3, 32, 32)
    each = embedding(zero, torch.arange(50))
    assert each.shape == zero.shape
    torch.testing.assert_close(embedding(zero, None), each.mean(0).expand(50, -1, -1, -1))
    for block, shape in ((1, (6, 40, 40)), (1, (6, 20, 20)), (2, (7, 1, 1)), (2, (7,))):
        u = torch.zeros(50, *shape)
        each = embedding.inject(block, u, torch.arange(50))
        torch.testing.assert_close(embedding.inject(block, u, None), each.mean(0).expand(50, *shape))
        assert len(each.flatten(1).unique(dim=0)) == 50
    assert [embedding.owner(name) for name in embedding.state_dict()] == [0, 1, 2]


def test_waves_are_added_to_the_image_alone_where_one_asks_for_the_first_block():
    algorithm = cnn(**{"label_embedding": "waves", "label_embedding.blocks": "first"})
    assert not algorithm.label_embedding.per_block and list(algorithm.label_embedding.state_dict()) == ["pictures"]
    with pytest.raises(OptionError, match="blocks"):
        cnn(**{"label_embedding": "waves", "label_embedding.blocks": "last"})


def test_no_gradient_crosses_a_block_that_gets_the_label():
    algorithm = cnn()
    losses = algorithm.losses(batch())
    for l, loss in enumerate(losses):
        for k in range(len(losses)):
            own = algorithm.own_parameters(k)
            found = torch.autograd.grad(loss, own, retain_graph=True, allow_unused=True)
            assert all(g is None or not bool(g.any()) for g in found) == (k != l)


def test_the_closed_form_gives_each_block_its_label():
    """The same update as autograd's, and it is the closed form that made it."""
    one = cnn(fit=FitOptions(optimizer="sgd", lr=0.01))
    other = copy.deepcopy(one)
    other.run_as(Execution(closed_form=False))
    assert one.needs_no_graph and not other.needs_no_graph
    for algorithm in (one, other):
        algorithm.train_step(batch())
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6, msg=name)


def test_a_stored_run_keeps_its_waves(tmp_path):
    settings = {"backbone.width": 4, "backbone.depth": 3, "data.train_size": 60, "data.test_size": 40}
    ffzoo.evaluate("vanilla_ff", "digits", backbone="cnn", epochs=1, settings=settings, out=tmp_path / "run")
    x = torch.rand(5, 1, 8, 8)
    scores = []
    for seed in (7, 8):  # the waves come from the file, not from a generator
        torch.manual_seed(seed)
        model = ffzoo.load(tmp_path / "run")
        assert type(model.algorithm.label_embedding) is labels.Waves
        scores.append(torch.as_tensor(model.algorithm.predict(x)))
    assert torch.equal(*scores)


def test_a_backbone_that_passes_on_tokens_keeps_the_overlay():
    class Tokens:
        channels_second, feature_shapes = False, ((8, 4, 4),)

    assert label_embedding(options.AutoLabel(value=3.0), Tokens()) == options.Overlay(value=3.0)
    recipe = Recipe((Term("mean_squares", "logistic"),), label_embedding="waves", negatives="wrong_label")
    assert label_embedding(recipe.label_embedding, Tokens()) == "waves"
