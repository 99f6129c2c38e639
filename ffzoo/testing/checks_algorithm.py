"""What every algorithm has to keep, one function a promise."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ffzoo.algorithm import Algorithm, Batch
from ffzoo.errors import FFZooError, OptionError
from ffzoo.measure.locality import black_box, same_bits, state_of, structural
from ffzoo.recipe import Recipe
from ffzoo.testing.strategies import Case, Toy, seeded, unlike
from ffzoo.testing.subjects import Check, Draws, Refused, SkipCheck, Subject
from ffzoo.training.options import Execution, FitOptions

LR = 0.01


def _sgd(case: Case) -> FitOptions:
    """Plain gradient descent: an update is the gradient times the learning rate."""
    return FitOptions(lr=LR, optimizer="sgd", weight_decay=0.0, schedule="constant", seed=case.seed)


def _losses(algorithm: Algorithm, batch: Batch, seed: int = 0) -> list[Tensor]:
    with seeded(seed):
        losses = algorithm.losses(batch)
    if losses is None:
        raise SkipCheck("the rule's credit is not the gradient of a loss")
    return losses


def _train(algorithm: Algorithm, case: Case, steps: Iterable[int], dtype: torch.dtype = torch.float32) -> None:
    for step in steps:
        with seeded(case.seed + step):
            algorithm.train_step(case.batch(step, dtype))


def _snapshot(algorithm: Algorithm) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in state_of(algorithm).items()}


def _assert_same_bits(a: dict[str, Tensor], b: dict[str, Tensor], what: str) -> None:
    assert a.keys() == b.keys(), f"{what}: {sorted(a.keys() ^ b.keys())} are only in one of the two states"
    differing = [key for key in a if not same_bits(a[key], b[key])]
    assert not differing, f"{what}: {', '.join(differing[:3])} differ"


def _assert_close(a: dict[str, Tensor], b: dict[str, Tensor], what: str) -> None:
    """Equal but for the rounding of float64, carried through a few steps."""
    assert a.keys() == b.keys(), f"{what}: {sorted(a.keys() ^ b.keys())} are only in one of the two states"
    for key in a:
        if not torch.allclose(a[key].double(), b[key].double(), rtol=1e-7, atol=1e-9, equal_nan=True):
            gap = (a[key].double() - b[key].double()).abs().max()
            raise AssertionError(f"{what}: {key} differs by up to {gap:.1e}")


def _declared_local(algorithm: Algorithm) -> bool:
    return algorithm.isolation == "local" and algorithm.coupling == "none" and algorithm.fusion_grad != "one_hop"


# ------------------------------------------------------------------ locality


def locality_structural(subject: Subject, draws: Draws) -> None:
    """No gradient of a loss is where the declared isolation forbids one, and some are where it says so."""
    seen = {"own": False, "crossing": False}
    isolation = "local"

    def test(case: Case) -> None:
        nonlocal isolation
        algorithm = subject.build(case)
        isolation, depth = algorithm.isolation, algorithm.backbone.depth
        for step in range(2):  # an overlap alternates
            found = structural(algorithm, case.batch(step))
            if found is None:
                raise SkipCheck("the rule's credit is not the gradient of a loss")
            assert not found.violations, "; ".join(found.violations)
            seen["own"] |= any(found.matrix[l][l] for l in range(depth))
            seen["crossing"] |= any(found.matrix[j][k] for j in range(depth) for k in range(j))
            _train(algorithm, case, [step])

    draws.each(test, subject.backbones)
    assert seen["own"] or not draws.count, "structural: no block's loss has a gradient on its own block in any draw"
    assert seen["crossing"] or isolation == "local" or not draws.count, (
        f"structural: isolation is declared {isolation!r}, but no loss has a gradient on an earlier block in any draw"
    )


def locality_black_box(subject: Subject, draws: Draws) -> None:
    """Changing later blocks and heads moves no earlier block, or the rule declares that it does."""
    declared, seen = True, False

    def test(case: Case) -> None:
        nonlocal declared, seen
        algorithm = subject.build(case)
        declared = _declared_local(algorithm)
        found = black_box(algorithm, case.batch())
        seen |= not found.local
        assert found.local or not declared, "; ".join(found.violations)

    draws.each(test, subject.backbones)
    if draws.count and not (declared or seen):
        # A few draws may honestly show nothing: of two classes, say, a negative has but one wrong label to show.
        Draws().each(test, subject.backbones, examples=10)
    assert declared or seen or not draws.count, (
        "black box: the rule declares that it is not layer-local, but no later block moved an earlier one in any draw"
    )


# ------------------------------------------------------------------ credit


def _credited(algorithm: Algorithm, losses: list[Tensor], block: int) -> Tensor:
    """The loss whose gradient a block is trained with."""
    if algorithm.isolation == "overlap":
        return torch.stack(losses[block : min(block + 2, algorithm.backbone.depth)]).sum()
    if algorithm.isolation == "none":
        return torch.stack(losses).sum()
    heads = losses[algorithm.backbone.depth :] if algorithm.fusion_grad == "one_hop" else []
    return torch.stack([losses[block], *heads]).sum()


def _block_parameters(algorithm: Algorithm, block: int) -> list[torch.nn.Parameter]:
    return [p for name, p in algorithm.named_parameters() if p.requires_grad and algorithm.owner(name) == block]


def _applied(algorithm: Algorithm, case: Case, block: int) -> list[Tensor]:
    """The gradients a step applied to a block, read off its update alone."""
    trained = copy.deepcopy(algorithm)
    before = [p.detach().clone() for p in _block_parameters(trained, block)]
    _train(trained, case, [0], torch.float64)
    return [(old - p.detach()) / LR for old, p in zip(before, _block_parameters(trained, block), strict=True)]


def update_equals_gradient(subject: Subject, draws: Draws) -> None:
    """With SGD in float64 a block's update is the gradient of its loss and of nothing else."""

    def test(case: Case) -> None:
        algorithm = subject.build(case, _sgd(case)).double()
        losses = _losses(copy.deepcopy(algorithm), case.batch(0, torch.float64), case.seed)
        for block in range(algorithm.backbone.depth):
            audited = copy.deepcopy(algorithm)
            losses = _losses(audited, case.batch(0, torch.float64), case.seed)
            credit, parameters = _credited(audited, losses, block), _block_parameters(audited, block)
            taught = credit.requires_grad and parameters  # with an overlap not every block is, at every step
            gradients = (
                torch.autograd.grad(credit, parameters, allow_unused=True) if taught else [None] * len(parameters)
            )
            for applied, p, g in zip(_applied(algorithm, case, block), parameters, gradients, strict=True):
                expected = torch.zeros_like(p) if g is None else g
                gap = float((applied - expected).abs().max())
                assert gap * LR <= 1e-10 * (1 + float(expected.abs().max())), (
                    f"block {block + 1}: its update differs from -lr times the gradient of its loss by {gap * LR:.1e}"
                )

    draws.each(test, subject.backbones)


def finite_differences(subject: Subject, draws: Draws) -> None:
    """The applied update agrees with difference quotients, and no loss depends on later blocks."""

    def test(case: Case) -> None:
        algorithm = subject.build(case, _sgd(case)).double()
        if algorithm.fusion_grad == "one_hop":
            # The head's loss also varies through later blocks, where its gradient is cut.
            raise SkipCheck("with fusion_grad=one_hop a block's update is the gradient of no function")
        if "values" in algorithm.coupling.split("+"):
            # A block's loss also varies through what later blocks make of its output, where its gradient is cut.
            raise SkipCheck("with coupling=values a block's update is the gradient of no function")
        depth = algorithm.backbone.depth

        def losses(block: int, direction: list[Tensor], step: float) -> list[Tensor]:
            moved = copy.deepcopy(algorithm)
            with torch.no_grad():
                for p, d in zip(_block_parameters(moved, block), direction, strict=True):
                    p.add_(d, alpha=step)
                return [value.detach() for value in _losses(moved, case.batch(0, torch.float64), case.seed)]

        if algorithm.isolation == "local" and "feedback" not in algorithm.coupling.split("+"):
            before = losses(0, [torch.zeros_like(p) for p in _block_parameters(algorithm, 0)], 0.0)
            for block in range(1, depth):
                shift = [unlike(p, case.seed) for p in _block_parameters(algorithm, block)]
                for earlier, moved in enumerate(losses(block, shift, 0.1)[:block]):
                    assert same_bits(moved, before[earlier]), (
                        f"the loss of block {earlier + 1} depends on block {block + 1}"
                    )
        for block in range(depth):
            applied = _applied(algorithm, case, block)
            tries = []
            for attempt in range(5):
                # A kink of a ReLU inside the interval spoils a quotient; a shorter one elsewhere avoids it.
                step = 1e-4 * 0.1**attempt
                direction = [unlike(g, case.seed + attempt) for g in applied]
                plus, minus = losses(block, direction, step), losses(block, direction, -step)
                change = (_credited(algorithm, plus, block) - _credited(algorithm, minus, block)).item()
                slope = sum(float((g * d).sum()) for g, d in zip(applied, direction, strict=True))
                tries.append(abs(change / (2 * step) - slope) / (abs(slope) + 1e-3))
                if tries[-1] < 1e-5:
                    break
            assert tries[-1] < 1e-5, (
                f"block {block + 1}: its update and the difference quotient of its loss differ by "
                f"{min(tries):.1e} of their size"
            )

    draws.each(test, subject.backbones)


def inplace_trap(subject: Subject, draws: Draws) -> None:
    """An in-place ReLU at the start of the next block does not change what a goodness read."""

    def test(case: Case) -> None:
        shape = subject.input_shape(case)
        states: list[dict[str, Tensor]] = []
        values: list[list[Tensor]] = []
        for inplace in (False, True):
            for streaming in (True, False):
                algorithm = subject.build_on(case.build_backbone(shape, inplace), case)
                algorithm.run_as(Execution(streaming=streaming))
                if algorithm.has_losses:
                    values.append([v.detach() for v in _losses(algorithm, case.batch(), case.seed)])
                _train(algorithm, case, range(2))
                states.append(_snapshot(algorithm))
        for losses in values[1:]:  # not in place, streaming or not; then in place
            for l, (a, b) in enumerate(zip(values[0], losses, strict=True)):
                assert torch.allclose(a, b, rtol=1e-6), (
                    f"the loss of block {l + 1} is {b:.4f} instead of {a:.4f} when block {l + 2} begins with an "
                    "in-place ReLU"
                )
        for state in states[2:]:
            for key, value in state.items():
                assert torch.allclose(value, states[0][key], rtol=1e-4, atol=1e-5), (
                    f"{key} is trained differently when a block begins with an in-place ReLU"
                )

    draws.each(test, ["partition"], 4)


# ------------------------------------------------------------------ execution


def _same_however_run(subject: Subject, draws: Draws, execution: Execution) -> None:
    refusals: list[str] = []

    def test(case: Case) -> None:
        plain = subject.build(case).double()
        other = subject.build(case).double()
        other.run_as(execution)
        try:
            _train(other, case, range(3), torch.float64)
        except OptionError as refusal:
            if not execution.micro_batch:
                raise
            refusals.append(str(refusal))  # batch statistics
            raise Refused(str(refusal)) from refusal
        _train(plain, case, range(3), torch.float64)
        _assert_close(_snapshot(plain), _snapshot(other), f"after three steps as {execution}")

    draws.each(test, subject.backbones)
    if refusals and not draws.count:
        raise SkipCheck(refusals[0])


def streaming_equals_all_at_once(subject: Subject, draws: Draws) -> None:
    """Backward inside the forward walk learns what one backward at the end does."""
    _same_however_run(subject, draws, Execution(streaming=False))


def micro_batches(subject: Subject, draws: Draws) -> None:
    """Micro-batches learn what the whole batch does, or are refused with an OptionError."""
    _same_however_run(subject, draws, Execution(micro_batch=3))


def checkpoint_blocks(subject: Subject, draws: Draws) -> None:
    """Recomputing activations in the backward pass changes no weight."""
    _same_however_run(subject, draws, Execution(checkpoint_blocks=True))


# ------------------------------------------------------------------ state


def same_seed_same_bits(subject: Subject, draws: Draws) -> None:
    """Two runs from one seed are equal bit for bit, whatever the global generator was at."""

    def test(case: Case) -> None:
        states = []
        for elsewhere in (1, 2):
            with seeded(elsewhere):
                algorithm = subject.build(case)
            _train(algorithm, case, range(3))
            states.append(_snapshot(algorithm))
        _assert_same_bits(states[0], states[1], "two runs from the same seed")

    draws.each(test, subject.backbones)


def resume_bit_identical(subject: Subject, draws: Draws) -> None:
    """The state dict and the training state are all there is: a fresh instance goes on bit for bit."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        with seeded(case.seed):
            algorithm.start(Toy(case.shape, case.num_classes), 2)
        _train(algorithm, case, range(2))
        weights = {key: value.clone() for key, value in algorithm.state_dict().items()}
        tensors, values = algorithm.training_state()
        tensors = {key: value.clone() for key, value in tensors.items()}
        values = json.loads(json.dumps(values))
        resumed = subject.build(case)
        resumed.load_state_dict(weights)
        resumed.load_training_state(tensors, values)
        _assert_same_bits(_snapshot(algorithm), _snapshot(resumed), "after loading")
        for step in (2, 3):
            for one in (algorithm, resumed):
                _train(one, case, [step])
            _assert_same_bits(_snapshot(algorithm), _snapshot(resumed), f"{step - 1} steps after loading")
        with seeded(case.seed):
            x = case.batch().x
            assert same_bits(algorithm.predict(x), resumed.predict(x)), "the resumed run predicts something else"

    draws.each(test, subject.backbones)


def evaluation_changes_nothing(subject: Subject, draws: Draws) -> None:
    """Predictions, features and audits leave weights, buffers, modes, gradients and random state alone."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        _train(algorithm, case, [0])
        *_, leaf = algorithm.backbone.modules()
        leaf.eval()  # a mixture of modes must survive as well
        batch = case.batch()

        def audit() -> None:
            algorithm.losses(batch)

        calls: dict[str, Callable[[], object]] = {
            "predict": lambda: algorithm.predict(batch.x),
            "scores": lambda: algorithm.scores(batch.x),
            "features": lambda: algorithm.features(batch.x),
            "losses": audit,
        }
        for name, call in calls.items():
            before, modes = _snapshot(algorithm), [m.training for m in algorithm.modules()]
            x, random = batch.x.clone(), torch.get_rng_state()
            call()
            _assert_same_bits(before, _snapshot(algorithm), f"{name}() changed the state")
            assert modes == [m.training for m in algorithm.modules()], f"{name}() changed the train mode"
            assert random.equal(torch.get_rng_state()), f"{name}() drew from the global generator"
            assert x.equal(batch.x), f"{name}() changed its input"
            assert all(p.grad is None for p in algorithm.parameters()), f"{name}() left gradients behind"
        outputs = [algorithm.predict(batch.x), *algorithm.features(batch.x)]
        assert not any(t.requires_grad for t in outputs), "predictions or features carry a graph"
        assert same_bits(outputs[0], algorithm.predict(batch.x)), "predict() gives something else the second time"

    draws.each(test, subject.backbones)


def owner_covers_state(subject: Subject, draws: Draws) -> None:
    """Every state tensor has an owner, what a step changes in the backbone is a block's, all blocks train."""
    untrained: set[int] = set()
    trained: set[int] = set()

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        depth = algorithm.backbone.depth
        before = {name: p.detach().clone() for name, p in algorithm.named_parameters()}
        _train(algorithm, case, range(2))
        for key in state_of(algorithm):
            owner = algorithm.owner(key)
            assert owner is None or 0 <= owner < depth, f"owner({key!r}) is {owner}; expected None or a block index"
        changed = [name for name, p in algorithm.named_parameters() if not same_bits(p.detach(), before[name])]
        for name in changed:
            free = algorithm.owner(name) is None and name.startswith("backbone.")
            assert not free or algorithm.backbone.has_native_head, f"a step changed {name}, which no block owns"
        owners = {algorithm.owner(name) for name in changed}
        trained.update(l for l in range(depth) if l in owners)
        untrained.update(l for l in range(depth) if l not in owners)

    draws.each(test, subject.backbones)
    never = sorted(untrained - trained)
    assert not never, f"block {never[0] + 1} did not change in any draw" if never else ""


def dtype_and_deepcopy(subject: Subject, draws: Draws) -> None:
    """The algorithm works in float64, and a deep copy is equal and independent."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        x = case.batch().x
        single = algorithm.predict(x)
        twin = copy.deepcopy(algorithm)
        _assert_same_bits(_snapshot(algorithm), _snapshot(twin), "a deep copy")
        before = _snapshot(algorithm)
        _train(twin, case, range(2))
        _assert_same_bits(before, _snapshot(algorithm), "training a deep copy changed the original")
        _train(algorithm, case, range(2))
        _assert_same_bits(_snapshot(algorithm), _snapshot(twin), "a deep copy learned something else")
        double = subject.build(case).double()
        wide = double.predict(x.double())
        assert wide.dtype == torch.float64, f"double() predicts in {wide.dtype}"
        assert torch.allclose(single.double(), wide, rtol=1e-3, atol=1e-3 * float(wide.abs().max())), (
            "float64 predicts something else than float32"
        )

    draws.each(test, subject.backbones)


# ------------------------------------------------------------------ behaviour


def _flat_or_maps(subject: Subject) -> str:
    """An MLP, or a CNN for a rule that reads maps alone."""
    try:
        subject.build(Case("mlp", 2, 12, (1, 8, 8), 3, 4, 0))
    except Refused:
        return "cnn"
    return "mlp"


def learns_toy(subject: Subject, draws: Draws) -> None:
    """On a separable toy set the loss falls and the training accuracy leaves chance behind."""
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
    """Losses, scores and a step stay finite on zero, constant and large inputs."""

    def test(case: Case) -> None:
        for name, scale, shift in (("zero", 0.0, 0.0), ("constant", 0.0, 3.0), ("large (1e4)", 1e4, 0.0)):
            algorithm = subject.build(case)
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
    """Two classes work, and so do a thousand, or a typed error says what is missing."""

    def test() -> None:
        for classes in (2, 1000):
            # 1,024 inputs have room for a thousand labels.
            case = Case(_flat_or_maps(subject), 2, 16, (1, 32, 32), classes, 4, 0)
            try:
                algorithm = subject.build_on(case.build_backbone(subject.input_shape(case)), case)
                _train(algorithm, case, [0])
            except FFZooError:
                assert classes > 2, "two classes were refused"
                continue
            scores = algorithm.predict(case.batch().x[:2])
            assert scores.shape == (2, classes), f"scores of {classes} classes have shape {tuple(scores.shape)}"
            assert scores.isfinite().all(), f"scores of {classes} classes are not finite"

    draws.once(test)


def batch_of_one(subject: Subject, draws: Draws) -> None:
    """A single sample gets the scores it has in a batch; training on it works or is refused with words."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        _train(algorithm, case, [0])
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
    """A permuted batch has the permuted predictions."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        _train(algorithm, case, [0])
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
    """A registered algorithm names its paper and says in a line what it is; a class has a docstring."""
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
    """A recipe written as JSON and read back is the same recipe."""
    recipe = subject.recipe
    if recipe is None:
        raise SkipCheck("not a recipe")

    def test() -> None:
        read = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
        assert read == recipe.resolved(), "a recipe read from its JSON is another one"

    draws.once(test)


ALGORITHM_CHECKS: tuple[Check, ...] = (
    documented,
    recipe_round_trip,
    locality_structural,
    locality_black_box,
    update_equals_gradient,
    finite_differences,
    inplace_trap,
    streaming_equals_all_at_once,
    micro_batches,
    checkpoint_blocks,
    same_seed_same_bits,
    resume_bit_identical,
    evaluation_changes_nothing,
    owner_covers_state,
    dtype_and_deepcopy,
    learns_toy,
    finite_on_extremes,
    class_counts,
    batch_of_one,
    permutation,
)
