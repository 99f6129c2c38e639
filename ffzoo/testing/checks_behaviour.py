"""Checks that an algorithm learns, takes what data may be, and says what it is."""

from __future__ import annotations

import inspect
import json

import torch

from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.recipe import Recipe
from ffzoo.data.batch import Batch
from ffzoo.errors import FFZooError
from ffzoo.measure.locality import state_of
from ffzoo.testing.algorithm_cases import fit_readout, train
from ffzoo.testing.strategies import Case, Toy, seeded
from ffzoo.testing.subjects import Draws, Refused, SkipCheck, Subject

# ------------------------------------------------------------------ behaviour


def _flat_or_maps(subject: Subject) -> str:
    """Return an MLP, or a CNN for a rule that reads only maps."""
    try:
        subject.build(Case("mlp", 2, 12, (1, 8, 8), 3, 4, 0))
    except Refused:
        return "cnn"
    return "mlp"


def learns_toy(subject: Subject, draws: Draws) -> None:
    """Check that on a separable toy set the loss falls and the training accuracy rises above chance."""
    toy, epochs = Toy((1, 8, 8), 3), 15
    case = Case(_flat_or_maps(subject), 2, 32, toy.shape, toy.num_classes, toy.batch_size, 0)

    def test() -> None:
        algorithm = subject.build(case, FitOptions(epochs=epochs, lr=5e-3, seed=0))
        history = []
        with seeded(0):
            algorithm.start(toy, epochs)
            for _ in range(epochs):
                metrics = [algorithm.train_step(batch) for batch in toy]
                losses = [float(v) for step in metrics for key, v in step.items() if key.startswith("loss/")]
                history.append(sum(losses) / len(toy))
            algorithm.finish(toy, toy)
        right = sum(int((algorithm.predict(b.x).argmax(1) == b.y).sum()) for b in toy) / len(toy)
        assert right > 1 / toy.num_classes + 0.2, f"training accuracy on the toy set is {right:.2f}"
        assert not algorithm.has_losses or history[-1] < history[0], (
            f"the loss on the toy set went from {history[0]:.4f} to {history[-1]:.4f} in {epochs} epochs"
        )

    draws.once(test)


def finite_on_extremes(subject: Subject, draws: Draws) -> None:
    """Check that losses, scores and a step stay finite on zero, constant and large inputs."""

    def test(case: Case) -> None:
        for name, scale, shift in (("zero", 0.0, 0.0), ("constant", 0.0, 3.0), ("large (1e4)", 1e4, 0.0)):
            algorithm = subject.build(case)
            fit_readout(algorithm, case)
            batch = case.batch()
            batch = Batch(batch.x * scale + shift, batch.y, batch.index, 0, batch.generator)
            with seeded(case.seed):
                for l, loss in enumerate(algorithm.losses(batch) or ()):
                    assert loss.isfinite(), f"loss {l + 1} is {loss:.3g} on {name} inputs"
                for when in ("before", "after"):
                    scores = algorithm.predict(batch.x)
                    assert scores.isfinite().all(), f"scores are not finite on {name} inputs {when} a step"
                    algorithm.train_step(batch)
            broken = [key for key, value in state_of(algorithm).items() if not value.isfinite().all()]
            assert not broken, f"{', '.join(broken[:3])} not finite after steps on {name} inputs"

    draws.each(test, subject.backbones)


def class_counts(subject: Subject, draws: Draws) -> None:
    """Check that 2 and 1,000 classes work, or that a typed error says what is missing."""

    def test() -> None:
        for classes in (2, 1000):
            # 1,024 inputs have room for a thousand labels.
            case = Case(_flat_or_maps(subject), 2, 16, (1, 32, 32), classes, 4, 0)
            try:
                algorithm = subject.build_on(case.build_backbone(subject.input_shape(case)), case)
                train(algorithm, case, [0])
                fit_readout(algorithm, case)
            except FFZooError:
                assert classes > 2, "two classes were refused"
                continue
            scores = algorithm.predict(case.batch().x[:2])
            assert scores.shape == (2, classes), f"scores of {classes} classes have shape {tuple(scores.shape)}"
            assert scores.isfinite().all(), f"scores of {classes} classes are not finite"

    draws.once(test)


def batch_of_one(subject: Subject, draws: Draws) -> None:
    """Check that a single sample gets the scores it has in a batch, and that training on it works or is refused."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        train(algorithm, case, [0])
        fit_readout(algorithm, case)
        batch = case.batch()
        alone, together = algorithm.predict(batch.x[:1]), algorithm.predict(batch.x)
        assert alone.shape == (1, case.num_classes), f"scores of one sample have shape {tuple(alone.shape)}"
        close = torch.allclose(alone[0], together[0], rtol=1e-3, atol=1e-4 * (1 + float(together.abs().max())))
        assert close, "a sample's scores depend on the rest of the batch"
        try:
            with seeded(case.seed):
                algorithm.train_step(Batch(batch.x[:1], batch.y[:1], torch.arange(1), 0, batch.generator))
        except FFZooError:
            pass

    draws.each(test, subject.backbones)


def permutation(subject: Subject, draws: Draws) -> None:
    """Check that a permuted batch has the permuted predictions."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        train(algorithm, case, [0])
        fit_readout(algorithm, case)
        x = case.batch().x
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(case.seed))
        scores = algorithm.predict(x)
        close = torch.allclose(
            algorithm.predict(x[order]), scores[order], rtol=1e-3, atol=1e-4 * (1 + float(scores.abs().max()))
        )
        assert close, "the predictions of a permuted batch are not the permuted predictions"

    draws.each(test, subject.backbones)


# ------------------------------------------------------------------ words


def documented(subject: Subject, draws: Draws) -> None:
    """Check that a registered algorithm names its paper and has a summary, and that a class has a docstring."""
    entry = subject.entry
    if entry is None:
        raise SkipCheck("not registered")

    def test() -> None:
        assert entry.summary, f"{entry} was registered without a summary"
        assert entry.paper, f"{entry} was registered without a paper"
        target = entry.load()
        assert not inspect.isclass(target) or target.__doc__, f"{target.__name__} has no docstring"

    draws.once(test)


def recipe_round_trip(subject: Subject, draws: Draws) -> None:
    """Check that a recipe written as JSON and read back is the same recipe."""
    recipe = subject.recipe
    if recipe is None:
        raise SkipCheck("not a recipe")

    def test() -> None:
        read = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
        assert read == recipe.resolved(), "a recipe read from its JSON is another one"

    draws.once(test)
