"""Checks that no gradient crosses a cut, and that a block's update is the gradient of its own loss."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.options import Execution
from ffzoo.measure.locality import black_box, same_bits, structural
from ffzoo.testing.algorithm_cases import LR, losses_of, sgd, snapshot, train
from ffzoo.testing.strategies import Case, unlike
from ffzoo.testing.subjects import Draws, SkipCheck, Subject


def _declared_local(algorithm: Algorithm) -> bool:
    return algorithm.isolation == "local" and algorithm.coupling == "none" and algorithm.fusion_grad != "one_hop"


# ------------------------------------------------------------------ locality


def locality_structural(subject: Subject, draws: Draws) -> None:
    """Check that gradients of losses are zero where the isolation forbids them, and not all zero where it has them."""
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
            train(algorithm, case, [step])

    draws.each(test, subject.backbones)
    assert seen["own"] or not draws.count, "structural: no block's loss has a gradient on its own block in any draw"
    assert seen["crossing"] or isolation == "local" or not draws.count, (
        f"structural: isolation is declared {isolation!r}, but no loss has a gradient on an earlier block in any draw"
    )


def locality_black_box(subject: Subject, draws: Draws) -> None:
    """Check that changing later blocks and heads changes no earlier block, unless the rule declares a coupling."""
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
    """Return the loss whose gradient a block is trained with."""
    if algorithm.isolation == "overlap":
        return torch.stack(losses[block : min(block + 2, algorithm.backbone.depth)]).sum()
    if algorithm.isolation == "none":
        return torch.stack(losses).sum()
    heads = losses[algorithm.backbone.depth :] if algorithm.fusion_grad == "one_hop" else []
    return torch.stack([losses[block], *heads]).sum()


def _block_parameters(algorithm: Algorithm, block: int) -> list[torch.nn.Parameter]:
    return [p for name, p in algorithm.named_parameters() if p.requires_grad and algorithm.owner(name) == block]


def _applied(algorithm: Algorithm, case: Case, block: int) -> list[Tensor]:
    """Return the gradients that a step applied to a block, as its update shows them."""
    trained = copy.deepcopy(algorithm)
    before = [p.detach().clone() for p in _block_parameters(trained, block)]
    train(trained, case, [0], torch.float64)
    return [(old - p.detach()) / LR for old, p in zip(before, _block_parameters(trained, block), strict=True)]


def update_equals_gradient(subject: Subject, draws: Draws) -> None:
    """Check that with SGD in float64 a block's update is the gradient of its own loss and of nothing else."""

    def test(case: Case) -> None:
        algorithm = subject.build(case, sgd(case)).double()
        losses = losses_of(copy.deepcopy(algorithm), case.batch(0, torch.float64), case.seed)
        for block in range(algorithm.backbone.depth):
            audited = copy.deepcopy(algorithm)
            losses = losses_of(audited, case.batch(0, torch.float64), case.seed)
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
    """Check that the applied update agrees with difference quotients, and no loss depends on later blocks."""

    def test(case: Case) -> None:
        algorithm = subject.build(case, sgd(case)).double()
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
                return [value.detach() for value in losses_of(moved, case.batch(0, torch.float64), case.seed)]

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
    """Check that an in-place ReLU at the start of the next block does not change what a goodness read."""

    def test(case: Case) -> None:
        shape = subject.input_shape(case)
        states: list[dict[str, Tensor]] = []
        values: list[list[Tensor]] = []
        for inplace in (False, True):
            for streaming in (True, False):
                algorithm = subject.build_on(case.build_backbone(shape, inplace), case)
                algorithm.run_as(Execution(streaming=streaming))
                if algorithm.has_losses:
                    values.append([v.detach() for v in losses_of(algorithm, case.batch(), case.seed)])
                train(algorithm, case, range(2))
                states.append(snapshot(algorithm))
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
