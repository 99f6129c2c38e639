"""Checks that a step is the same however it is run, and that a state is all that a run needs to go on."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import torch

from ffzoo.algorithms.options import Execution
from ffzoo.errors import OptionError
from ffzoo.measure.locality import same_bits, state_of
from ffzoo.testing.algorithm_cases import assert_close, assert_same_bits, fit_readout, snapshot, train
from ffzoo.testing.strategies import Case, Toy, seeded
from ffzoo.testing.subjects import Draws, Refused, SkipCheck, Subject

# ------------------------------------------------------------------ execution


def _same_however_run(subject: Subject, draws: Draws, execution: Execution) -> None:
    refusals: list[str] = []

    def test(case: Case) -> None:
        plain = subject.build(case).double()
        other = subject.build(case).double()
        other.run_as(execution)
        try:
            train(other, case, range(3), torch.float64)
        except OptionError as refusal:
            if not execution.micro_batch:
                raise
            refusals.append(str(refusal))  # batch statistics
            raise Refused(str(refusal)) from refusal
        train(plain, case, range(3), torch.float64)
        assert_close(snapshot(plain), snapshot(other), f"after three steps as {execution}")

    draws.each(test, subject.backbones)
    if refusals and not draws.count:
        raise SkipCheck(refusals[0])


def streaming_equals_all_at_once(subject: Subject, draws: Draws) -> None:
    """Check that a backward inside the forward walk learns what one backward at the end does."""
    _same_however_run(subject, draws, Execution(streaming=False))


def micro_batches(subject: Subject, draws: Draws) -> None:
    """Check that chunks learn what the whole batch does, or are refused with an OptionError."""
    _same_however_run(subject, draws, Execution(micro_batch=3))


def checkpoint_blocks(subject: Subject, draws: Draws) -> None:
    """Check that recomputing activations in the backward pass changes no weight."""
    _same_however_run(subject, draws, Execution(checkpoint_blocks=True))


# ------------------------------------------------------------------ state


def same_seed_same_bits(subject: Subject, draws: Draws) -> None:
    """Check that two runs from one seed are equal bit for bit, whatever the state of the global generator."""

    def test(case: Case) -> None:
        states = []
        for elsewhere in (1, 2):
            with seeded(elsewhere):
                algorithm = subject.build(case)
            train(algorithm, case, range(3))
            states.append(snapshot(algorithm))
        assert_same_bits(states[0], states[1], "two runs from the same seed")

    draws.each(test, subject.backbones)


def resume_bit_identical(subject: Subject, draws: Draws) -> None:
    """Check that a fresh instance goes on bit for bit from the state dict and the training state."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        with seeded(case.seed):
            algorithm.start(Toy(case.shape, case.num_classes), 2)
        train(algorithm, case, range(2))
        weights = {key: value.clone() for key, value in algorithm.state_dict().items()}
        tensors, values = algorithm.training_state()
        tensors = {key: value.clone() for key, value in tensors.items()}
        values = json.loads(json.dumps(values))
        resumed = subject.build(case)
        resumed.load_state_dict(weights)
        resumed.load_training_state(tensors, values)
        assert_same_bits(snapshot(algorithm), snapshot(resumed), "after loading")
        for step in (2, 3):
            for one in (algorithm, resumed):
                train(one, case, [step])
            assert_same_bits(snapshot(algorithm), snapshot(resumed), f"{step - 1} steps after loading")
        with seeded(case.seed):
            x = case.batch().x
            for one in (algorithm, resumed):
                fit_readout(one, case)
            assert same_bits(algorithm.predict(x), resumed.predict(x)), "the resumed run predicts something else"

    draws.each(test, subject.backbones)


def evaluation_changes_nothing(subject: Subject, draws: Draws) -> None:
    """Check that predictions, features and audits leave weights, buffers, modes, gradients and random state alone."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        train(algorithm, case, [0])
        fit_readout(algorithm, case)
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
            before, modes = snapshot(algorithm), [m.training for m in algorithm.modules()]
            x, random = batch.x.clone(), torch.get_rng_state()
            call()
            assert_same_bits(before, snapshot(algorithm), f"{name}() changed the state")
            assert modes == [m.training for m in algorithm.modules()], f"{name}() changed the train mode"
            assert random.equal(torch.get_rng_state()), f"{name}() drew from the global generator"
            assert x.equal(batch.x), f"{name}() changed its input"
            assert all(p.grad is None for p in algorithm.parameters()), f"{name}() left gradients behind"
        outputs = [algorithm.predict(batch.x), *algorithm.features(batch.x)]
        assert not any(t.requires_grad for t in outputs), "predictions or features carry a graph"
        assert same_bits(outputs[0], algorithm.predict(batch.x)), "predict() gives something else the second time"

    draws.each(test, subject.backbones)


def owner_covers_state(subject: Subject, draws: Draws) -> None:
    """Check that every state tensor has an owner, a step changes only what blocks own, and all blocks train."""
    untrained: set[int] = set()
    trained: set[int] = set()

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        depth = algorithm.backbone.depth
        before = {name: p.detach().clone() for name, p in algorithm.named_parameters()}
        train(algorithm, case, range(2))
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
    """Check that the algorithm works in float64, and a deep copy is equal and independent."""

    def test(case: Case) -> None:
        algorithm = subject.build(case)
        fit_readout(algorithm, case)
        x = case.batch().x
        single = algorithm.predict(x)
        twin = copy.deepcopy(algorithm)
        assert_same_bits(snapshot(algorithm), snapshot(twin), "a deep copy")
        before = snapshot(algorithm)
        train(twin, case, range(2))
        assert_same_bits(before, snapshot(algorithm), "training a deep copy changed the original")
        train(algorithm, case, range(2))
        assert_same_bits(snapshot(algorithm), snapshot(twin), "a deep copy learned something else")
        double = subject.build(case)
        fit_readout(double, case)
        double.double()
        wide = double.predict(x.double())
        assert wide.dtype == torch.float64, f"double() predicts in {wide.dtype}"
        assert torch.allclose(single.double(), wide, rtol=1e-3, atol=1e-3 * float(wide.abs().max())), (
            "float64 predicts something else than float32"
        )

    draws.each(test, subject.backbones)
