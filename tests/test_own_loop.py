"""Training without the library's loop: ``fit``, a loop of one's own, and what an unfitted readout says."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import ffzoo
from ffzoo.errors import DataError, NotFittedError, OptionError, RecipeError
from ffzoo.testing.strategies import Toy
from ffzoo.training import checkpoint

TOY = Toy((1, 8, 8), 3)
PAIRS = [(batch.x, batch.y) for batch in TOY]
PROBES = ("random_features", "scff", "softhebb")


def built(name: str, **settings: object) -> ffzoo.Algorithm:
    from ffzoo.algorithms.build import algorithm_spec
    from ffzoo.backbones.options import MLP

    spec = algorithm_spec(name, settings)
    return ffzoo.create(spec, "mlp", TOY.shape, TOY.num_classes, backbone_config=MLP(width=16, depth=2))


def accuracy(algorithm: ffzoo.Algorithm) -> float:
    return sum(float((algorithm.predict(x).argmax(1) == y).float().mean()) for x, y in PAIRS) / len(PAIRS)


def by_hand(algorithm: ffzoo.Algorithm, epochs: int) -> list[dict[str, float]]:
    batches = ffzoo.Batches(PAIRS)
    algorithm.start(batches, epochs)
    means = []
    for epoch in range(epochs):
        steps = [algorithm.train_step(dataclasses.replace(batch, epoch=epoch)) for batch in batches]
        means.append({key: float(sum(step[key] for step in steps)) / len(steps) for key in steps[0]})
    algorithm.finish(batches, None)
    return means


@pytest.mark.parametrize("name", PROBES)
def test_a_rule_with_a_probe_refuses_to_predict_before_it_is_fitted(name):
    algorithm = built(name)
    for x, y in PAIRS:
        algorithm.train_step(x, y)
    assert not algorithm.fitted
    for predict in (algorithm.predict, algorithm.scores):
        with pytest.raises(NotFittedError, match=r"call algorithm\.finish\(.*algorithm\.fit\(batches, epochs"):
            predict(PAIRS[0][0])
    algorithm.finish(TOY, None)
    assert algorithm.fitted and accuracy(algorithm) > 0.9


@pytest.mark.parametrize("name", PROBES)
def test_a_checkpoint_says_whether_the_probe_is_fitted_and_holds_what_it_always_held(name, tmp_path):
    algorithm = built(name)
    keys = {key.rpartition(".")[2] for key in algorithm.state_dict() if key.startswith(("probe.", "fusion_head."))}
    assert keys == {"weight", "bias", "mean", "scale"}
    for fitted in (False, True):
        if fitted:
            algorithm.finish(TOY, None)
        checkpoint.save(tmp_path, algorithm, {})
        restored = built(name)
        checkpoint.load(tmp_path, restored)
        assert restored.fitted is fitted
    assert torch.equal(restored.predict(PAIRS[0][0]), algorithm.predict(PAIRS[0][0]))


def test_features_that_tell_nothing_make_no_unfitted_probe():
    algorithm = built("random_features")
    x = torch.zeros(6, *TOY.shape)
    algorithm.finish(ffzoo.Batches([(x, torch.arange(6) % 3)]), None)
    assert algorithm.fitted and not algorithm.predict(x).argmax(1).any()


@pytest.mark.parametrize("name", ["scff", "mono_forward", "dfa"])
def test_fit_is_start_every_epoch_and_finish(name):
    ours, theirs = built(name), built(name)
    torch.manual_seed(0)
    found = ours.fit(PAIRS, epochs=3)
    torch.manual_seed(0)
    assert found == by_hand(theirs, 3) and len(found) == 3
    pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert ours.step_count == ours.total_steps == 12


def test_fit_again_begins_the_schedule_again():
    algorithm = built("mono_forward")
    for epochs in (2, 1):
        algorithm.fit(PAIRS, epochs=epochs)
        assert algorithm.step_count == algorithm.total_steps == 4 * epochs


class Stream(IterableDataset):
    """Samples that nobody has counted."""

    def __iter__(self):
        return iter([(x, y) for xs, ys in PAIRS for x, y in zip(xs, ys, strict=True)])


@pytest.mark.parametrize(
    "batches",
    [
        [[x, y] for x, y in PAIRS],
        list(TOY),
        DataLoader(TensorDataset(*(torch.cat(part) for part in zip(*PAIRS, strict=True))), 32, shuffle=True),
        DataLoader(Stream(), 32),
    ],
    ids=["lists", "batches", "loader", "uncounted"],
)
def test_batches_are_whatever_gives_them_again_in_every_epoch(batches):
    samples = ffzoo.Batches(batches)
    assert (samples.steps, len(samples)) == (4, 128)
    algorithm = built("random_features")
    algorithm.fit(batches, epochs=1)
    assert accuracy(algorithm) > 0.9


def test_a_rule_with_a_memory_gets_the_samples_index_and_the_epoch():
    seen = []
    algorithm = built("f3")
    step = algorithm.train_step
    algorithm.train_step = lambda batch: seen.append((batch.epoch, int(batch.index[0]))) or step(batch)
    algorithm.fit(list(TOY), epochs=2)
    assert seen == [(epoch, 32 * number) for epoch in range(2) for number in range(4)]
    assert len(algorithm.memory) == 128


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (iter(PAIRS), "list_iterator, which can be read only once"),
        ([], "no batches"),
        (PAIRS[0], "a Tensor"),
        ([(PAIRS[0][0], PAIRS[0][1], PAIRS[0][1])], r"a tuple \(Tensor, Tensor, Tensor\)"),
        ([(PAIRS[0][0].numpy(), PAIRS[0][1])], r"a tuple \(ndarray, Tensor\)"),
    ],
)
def test_bad_batches(batches, message):
    with pytest.raises(DataError, match=message):
        built("random_features").fit(batches, epochs=1)


def test_bad_calls():
    with pytest.raises(OptionError, match="epochs is 0"):
        built("dfa").fit(PAIRS, epochs=0)
    algorithm = built("deeperforward")
    with pytest.raises(OptionError, match=r"fusion 'best_range' chooses on validation samples.*validation=batches"):
        algorithm.fit(PAIRS, epochs=1)
    algorithm.fit(PAIRS, epochs=1, validation=PAIRS)
    with pytest.raises(RecipeError, match="negatives=hard_label reads the prediction in every step, but fusion=probe"):
        built("vanilla_ff_hard", fusion="probe")


def test_the_library_s_loop_measures_no_prediction_before_there_is_one(tmp_path):
    settings = {"data.train_size": 200, "data.test_size": 60, "backbone.width": 16}
    (result,) = ffzoo.evaluate("scff", "digits", epochs=2, settings=settings, out=tmp_path / "x").runs
    lines = [json.loads(line) for line in (tmp_path / "x" / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 2 and not any("validation_accuracy" in line for line in lines)
    assert result.validation_accuracy > 0.3 and result.test_accuracy > 0.3
    assert ffzoo.load(tmp_path / "x").algorithm.fitted


def test_epochs_are_fitted_to_a_time_for_a_rule_with_a_probe_too():
    settings = {"data.train_size": 200, "data.test_size": 60, "backbone.width": 16}
    assert ffzoo.evaluate("random_features", "digits", minutes=0.03, settings=settings).runs[0].epochs > 1
