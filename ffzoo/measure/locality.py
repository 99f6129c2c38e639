"""Is an algorithm layer-local? Two probes that do not take its word for it.

The structural probe asks autograd which blocks each loss has a gradient on. The black-box probe changes
everything that belongs to later blocks and heads, trains a few steps, and demands that the earlier blocks
stay bit for bit what they would have been; it needs no knowledge of the rule and so sees what autograd
cannot: a gradient norm clipped over all blocks, a shared optimizer state, a statistic read backwards.
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.batch import Batch
from ffzoo.measure.copying import copy_of

SHARED = "what no block owns"


@dataclass(frozen=True)
class Structural:
    """Which loss has a gradient on which block.

    Attributes:
        matrix: gradient norms; a row for each loss (blocks, then heads), a column for each block and a
            last one for what no block owns (heads and shared parameters).
        violations: gradients that the declared isolation and coupling forbid, in words.
        local: no gradient crosses between blocks, whatever is declared.
    """

    matrix: list[list[float]]
    violations: list[str]
    local: bool


@dataclass(frozen=True)
class BlackBox:
    """Which later block, when it is changed, moves which earlier one.

    Attributes:
        violations: each pair of blocks once, with the first tensor and step, in words.
    """

    violations: list[str]

    @property
    def local(self) -> bool:
        """No later block moved an earlier one."""
        return not self.violations


@dataclass(frozen=True)
class Locality:
    """Both probes in short.

    Attributes:
        structural: no gradient crosses between blocks; None for a rule without losses.
        black_box: no later block moves an earlier one.
        strictly_local: every probe made says so, and there are at least two blocks.
    """

    structural: bool | None
    black_box: bool
    strictly_local: bool


def probe(algorithm: Algorithm, batch: Batch) -> Locality:
    """Make both probes on copies; the algorithm given, its mode and all random state stay as they are.

    Args:
        algorithm: built and, if it wants to be, trained.
        batch: a small one; a few samples show as much as many.
    """
    structure, box = structural(algorithm, batch), black_box(algorithm, batch)
    gradients = None if structure is None else structure.local
    strictly = gradients is not False and box.local and algorithm.backbone.depth >= 2
    return Locality(gradients, box.local, strictly)


def structural(algorithm: Algorithm, batch: Batch) -> Structural | None:
    """Return the matrix of gradient norms, losses by blocks, judged against what the algorithm declares.

    Args:
        algorithm: probed on a copy.
        batch: a small one.

    Returns:
        None for a rule without losses.
    """
    with _undisturbed(algorithm), torch.enable_grad():
        twin = copy_of(algorithm).train()
        losses = twin.losses(_reseeded(batch, 0))
        if losses is None:
            return None
        depth = twin.backbone.depth
        names = [name for name, p in twin.named_parameters() if p.requires_grad]
        parameters = [p for p in twin.parameters() if p.requires_grad]
        owners = [twin.owner(name) for name in names]
        matrix: list[list[float]] = []
        shared: dict[str, list[int]] = {}
        for row, loss in enumerate(losses):
            squares = [0.0] * (depth + 1)
            for name, owner, norm in zip(names, owners, _norms(loss, parameters), strict=True):
                squares[depth if owner is None else owner] += norm**2
                if owner is None and norm:
                    shared.setdefault(name, []).append(row)
            matrix.append([square**0.5 for square in squares])

    def loss_name(row: int) -> str:
        return f"the loss of block {row + 1}" if row < depth else f"the loss of head {row - depth + 1}"

    crossing: list[tuple[bool, str]] = []  # whether the declaration forbids it, and the words
    isolated = algorithm.isolation != "none"
    reach = 1 if algorithm.isolation == "overlap" else 0  # blocks before its own that a loss may teach
    for row, norms in enumerate(matrix):
        for block in range(depth):
            if block != row and norms[block]:
                allowed = row - reach <= block < row if row < depth else algorithm.fusion_grad == "one_hop"
                forbidden = isolated and not allowed
                text = f"{loss_name(row)} has a gradient (norm {norms[block]:.1e}) on block {block + 1}"
                crossing.append((forbidden, text))
    for name, rows in shared.items():
        if len(rows) > 1 and rows[0] < depth:
            text = f"{' and '.join(map(loss_name, rows))} each have a gradient on {name}, which no block owns"
            crossing.append((isolated and algorithm.coupling == "none", text))
    violations = [f"structural: {text}" for forbidden, text in crossing if forbidden]
    return Structural(matrix, violations, local=not crossing)


def _norms(loss: Tensor, parameters: list[torch.nn.Parameter]) -> list[float]:
    if not loss.requires_grad:
        return [0.0] * len(parameters)
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    # In double precision, so that the square of a small gradient does not vanish.
    return [0.0 if g is None else float(g.cpu().double().norm()) for g in gradients]


def black_box(algorithm: Algorithm, batch: Batch, steps: int = 3) -> BlackBox:
    """Change later blocks and see whether earlier ones notice.

    After a warm-up step, for every cut between blocks: every floating parameter, buffer and optimizer
    tensor behind the cut, and of the heads, is changed; then both the changed copy and an unchanged one
    make the same seeded steps. What lies before the cut must stay bitwise equal after each.

    Args:
        algorithm: probed on copies.
        batch: a small one.
        steps: seeded steps after the change; a leak through a running statistic needs two to show.
    """
    with _undisturbed(algorithm):
        warm = copy_of(algorithm)
        _step(warm, batch, 0)
        depth = warm.backbone.depth
        expected = [
            {key: value.clone() for key, value in state.items() if warm.owner(key) in range(depth - 1)}
            for state in _states(warm, batch, steps, changed=())
        ]
        blocks = range(1, depth)
        if not any(_moved(warm, batch, expected, [*range(cut, depth), None], cut) for cut in blocks):
            return BlackBox([])
        # Something leaks; one owner at a time shows what.
        violations: list[str] = []
        for owner in (*blocks, None):
            before = depth - 1 if owner is None else owner
            for block, where in sorted(_moved(warm, batch, expected, [owner], before).items()):
                name = SHARED if owner is None else f"block {owner + 1}"
                violations.append(f"black box: changing {name} moved block {block + 1} {where}")
        for cut in blocks if not violations else ():
            for block, where in sorted(_moved(warm, batch, expected, [*range(cut, depth), None], cut).items()):
                name = f"block {cut + 1}, all later ones and the heads"
                violations.append(f"black box: changing {name} moved block {block + 1} {where}")
        return BlackBox(violations)


def _moved(
    warm: Algorithm,
    batch: Batch,
    expected: list[dict[str, Tensor]],
    changed: Collection[int | None],
    before: int,
) -> dict[int, str]:
    """Return blocks below ``before`` that differ from what was expected, and where that showed first."""
    moved: dict[int, str] = {}
    for number, state in enumerate(_states(warm, batch, len(expected), changed)):
        for key, value in state.items():
            owner = warm.owner(key)
            if owner is not None and owner < before and owner not in moved:
                if not same_bits(value, expected[number][key]):
                    moved[owner] = f"({key}) in step {number + 1}"
    return moved


def _states(warm: Algorithm, batch: Batch, steps: int, changed: Collection[int | None]) -> Iterator[dict[str, Tensor]]:
    """Return the state after each step of a copy in which what ``changed`` owns was changed first."""
    twin = copy.deepcopy(warm)
    noise = torch.Generator().manual_seed(0)
    if changed:
        with torch.no_grad():
            for key, value in twin.state_dict().items():
                if twin.owner(key) in changed and value.is_floating_point():
                    value.copy_(_disturbed(value, noise))
    tensors, values = twin.training_state()
    tensors = {
        key: _disturbed(value, noise) if twin.owner(key) in changed and value.is_floating_point() else value.clone()
        for key, value in tensors.items()
    }
    # The unchanged copy goes through the same door, so that loading itself makes no difference.
    twin.load_training_state(tensors, values)
    for number in range(steps):
        _step(twin, batch, number + 1)
        yield state_of(twin)


def _disturbed(value: Tensor, noise: torch.Generator) -> Tensor:
    """Return a little more of everything: what may not be negative (variances, counters) stays valid."""
    u = torch.rand(value.shape, generator=noise).to(value)
    return value + (0.05 + 0.1 * u) * (value.abs() + 0.1)


def state_of(algorithm: Algorithm) -> dict[str, Tensor]:
    """Return all tensors of the state dict and the training state, not copied."""
    return {**algorithm.state_dict(), **algorithm.training_state()[0]}


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Equality bit for bit: NaN equals itself, and -0 is not 0."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return torch.equal(a.reshape(-1).view(torch.uint8), b.reshape(-1).view(torch.uint8))


def _step(algorithm: Algorithm, batch: Batch, number: int) -> None:
    seed_all(algorithm, number)
    algorithm.train_step(_reseeded(batch, number))


def _reseeded(batch: Batch, seed: int) -> Batch:
    if batch.generator is None:
        return batch
    return dataclasses.replace(batch, generator=torch.Generator(batch.generator.device).manual_seed(seed))


def _accelerators(algorithm: Algorithm) -> list[torch.device]:
    return sorted({p.device for p in algorithm.parameters() if p.device.type == "cuda"}, key=str)


def seed_all(algorithm: Algorithm, seed: int) -> None:
    """Seed torch's own generators on the devices an algorithm uses, and on no other."""
    torch.default_generator.manual_seed(seed)
    for device in _accelerators(algorithm):
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextmanager
def _undisturbed(algorithm: Algorithm) -> Iterator[None]:
    """Restore the random state; on an accelerator use deterministic kernels where there are any."""
    devices = _accelerators(algorithm)
    with torch.random.fork_rng(devices=devices):
        seed_all(algorithm, 0)
        if not devices:
            yield
            return
        before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        try:
            torch.use_deterministic_algorithms(True, warn_only=True)
            with warnings.catch_warnings(), torch.backends.cudnn.flags(deterministic=True, benchmark=False):
                warnings.simplefilter("ignore")
                yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
