"""Integrated Forward-Forward (arXiv:2305.12960) in numpy, and blocks of several layers."""

from __future__ import annotations

import numpy as np
import pytest

from ffzoo.algorithms.build import create_backbone
from ffzoo.backbones.options import CNN, MLP
from ffzoo.errors import OptionError
from ffzoo.run.spec import make_run
from ffzoo.testing.strategies import Toy
from tests.zoo import pairs
from tests.zoo import reference as ref

LAYERS = [(layer, name) for layer in (0, 1) for name in ("weight", "bias")]


def features(state: ref.Arrays, x: ref.Array, block: int) -> ref.Array:
    for l in range(block + 1):
        for layer in (0, 1):
            prefix = f"backbone.blocks.{l}.{layer}.linear."
            x = ref.relu(x @ state[prefix + "weight"].T + state[prefix + "bias"])
        h, x = x, ref.rms(x)
    return h


def test_one_block_of_two_layers_after_the_other():
    algorithm = ref.build("integrated_ff", config=MLP(ref.WIDTH, ref.DEPTH, layers=2))
    algorithm.start(Toy((ref.INPUTS,), ref.CLASSES, steps=1), ref.DEPTH)
    for l in range(ref.DEPTH):
        data = ref.batch(seed=l + 1)
        x, y = ref.numpy(data.x), ref.numpy(data.y)
        views = [pairs.overlay(x, labels) for labels in (y, pairs.wrong_labels(y, l + 1))]

        def loss(state: ref.Arrays, views=views, l=l) -> ref.Array:
            positive, negative = ((features(state, view, l) ** 2).mean(1) for view in views)
            return pairs.logistic(positive, negative, 1, 1.5)

        before, after, losses = ref.step_and_losses(algorithm, data)
        np.testing.assert_allclose(losses[str(l + 1)], loss(before).real, rtol=0, atol=1e-10)
        keys = [f"backbone.blocks.{l}.{layer}.linear.{name}" for layer, name in LAYERS]
        ref.assert_updates(before, after, loss, keys)
        for key in before.keys() - set(keys):
            np.testing.assert_array_equal(after[key], before[key], err_msg=key)
    score = lambda s, k: sum((features(s, pairs.overlay(x, k), l) ** 2).mean(1) for l in range(ref.DEPTH))  # noqa: E731
    pairs.assert_predicts(algorithm, x, score)


@pytest.mark.parametrize(("name", "config"), [("mlp", MLP(8, 3, layers=2)), ("cnn", CNN(4, 3, layers=3))])
def test_blocks_of_several_layers_say_so(name: str, config: MLP | CNN):
    backbone = create_backbone(name, (2, 8, 8), 4, config)
    assert [backbone.weight_layers(l) for l in range(3)] == [config.layers] * 3
    assert not backbone.closed_form
    plain = create_backbone(name, (2, 8, 8), 4, type(config)(8, 3))
    assert plain.closed_form and [plain.weight_layers(l) for l in range(3)] == [1] * 3
    with pytest.raises(OptionError, match="layers is 0"):
        type(config)(layers=0)


def test_a_rule_brings_options_of_the_backbone_it_has_in_mind():
    assert make_run("integrated_ff").backbone_config == MLP(layers=2)
    assert make_run("integrated_ff", backbone="cnn").backbone_config == CNN(layers=2)
    assert make_run("integrated_ff", settings={"backbone.layers": 3}).backbone_config.layers == 3
    assert not hasattr(make_run("integrated_ff", backbone="resnet").backbone_config, "layers")
    assert make_run("vanilla_ff").backbone_config.layers == 1
