"""SymBa (arXiv:2303.08418) in numpy."""

from __future__ import annotations

import numpy as np

from tests.zoo import pairs
from tests.zoo import reference as ref


def goodness(state: ref.Arrays, x: ref.Array, y: ref.Array, block: int) -> ref.Array:
    return (pairs.features(state, x + state["label_embedding.patterns"][y], block) ** 2).mean(1)


def test_goodness_loss_and_update():
    algorithm, data = ref.build("symba"), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        margin = goodness(state, x, y, block) - goodness(state, x, pairs.wrong_labels(y), block)
        return np.log(1 + np.exp(-4 * margin)).mean()

    before = ref.arrays(algorithm)["label_embedding.patterns"]
    after = pairs.assert_step(algorithm, data, loss, lambda block: [])
    np.testing.assert_array_equal(after["label_embedding.patterns"], before)
    pairs.assert_predicts(algorithm, x, lambda s, k: sum(goodness(s, x, k, l) for l in range(ref.DEPTH)))


def test_the_neutral_label_is_the_mean_pattern_and_a_channel_lies_beside_the_image():
    shape = (2, 3, 5)
    for place, channels in (("add", 2), ("channel", 3)):
        algorithm = ref.build("symba", {"label_embedding.place": place}, shape=shape)
        embedding, x = algorithm.label_embedding, ref.batch(shape).x
        patterns = ref.numpy(embedding.patterns)
        assert patterns.shape == (ref.CLASSES, 2 if place == "add" else 1, 3, 5)
        assert embedding.input_shape(shape) == (channels, 3, 5) and embedding.input_shape((9,)) == (9 * (channels - 1),)
        for y, expected in ((ref.batch(shape).y, patterns[ref.batch(shape).y]), (None, patterns.mean(0)[None])):
            made = ref.numpy(embedding(x, y))
            written = made - ref.numpy(x) if place == "add" else made[:, 2:]
            np.testing.assert_allclose(written, np.broadcast_to(expected, written.shape), rtol=0, atol=1e-12)
