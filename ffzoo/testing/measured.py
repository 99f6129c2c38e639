"""Isolation and coupling of an algorithm: what it declares, and what two probes see on small networks."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.errors import FFZooError
from ffzoo.measure.locality import black_box, structural
from ffzoo.testing.strategies import Case, seeded
from ffzoo.testing.subjects import Refused, subject_of

_DEPTH = 4


@dataclass(frozen=True)
class Measured:
    """Return what is declared and what was measured side by side, as words for a table.

    Attributes:
        isolation: declared.
        reach: how far back the gradient of a block's loss was seen to go: ``local``, ``overlap`` (one block) or
            ``none`` (further); ``no losses`` for a rule without.
        coupling: declared.
        moves: whether a change of later blocks and heads moved earlier ones in a step: ``none`` or ``moves``. Gradients
            that cross move them too.
    """

    isolation: str
    reach: str
    coupling: str
    moves: str


def measured(name: str) -> Measured:
    """Probe a registered algorithm, on an MLP and on a CNN of four blocks, over two steps each.

    Raises:
        UnknownNameError: nothing has that name.
        FFZooError: it refuses both networks.
    """
    subject = subject_of(name)
    steps, moves, declared, refusal = [], False, None, "refused"
    for backbone, shape in (("mlp", (1, 8, 8)), ("cnn", (1, 8, 8))):
        case = Case(backbone, _DEPTH, 12, shape, 3, 8, 0)
        try:
            algorithm = subject.build(case)
        except Refused as error:
            refusal = str(error)
            continue
        declared = (algorithm.isolation, algorithm.coupling)
        moves |= not black_box(algorithm, case.batch()).local
        for step in range(2):
            found = structural(algorithm, case.batch(step))
            if found is not None:
                rows = enumerate(found.matrix[:_DEPTH])
                steps.append(max((j - k for j, row in rows for k in range(j) if row[k]), default=0))
            with seeded(step):
                algorithm.train_step(case.batch(step))
    if declared is None:
        raise FFZooError(f"{name}: {refusal}")
    reach = "no losses" if not steps else ("local", "overlap")[max(steps)] if max(steps) < 2 else "none"
    return Measured(declared[0], reach, declared[1], "moves" if moves else "none")
