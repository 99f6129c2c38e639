"""Several rules on the same model and data, with the same seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ffzoo.algorithms.given import Model, Rule, given_algorithms
from ffzoo.errors import OptionError
from ffzoo.run.evaluate import evaluate
from ffzoo.run.results import Evaluation


def compare(
    algos: Sequence[Rule] | Mapping[str, Rule],
    data: Any = "digits",
    *,
    backbone: Model | None = None,
    seeds: int | Sequence[int] = 3,
    **options: Any,
) -> Evaluation:
    """Train and test several rules on the same data with the same seeds.

    Args:
        algos: at least two rules, as :func:`ffzoo.fit <ffzoo.run.fitting.fit>` takes them; a dictionary gives names to
            those that have none: ``{"mine": Recipe(...), "bp": "bp"}``.
        data: as :func:`ffzoo.evaluate <ffzoo.run.evaluate.evaluate>` takes them.
        backbone: as ``evaluate`` takes it; every rule has the same.
        seeds: a number of seeds, from 0; or the seeds.
        options: further keywords of ``evaluate``, such as ``epochs``.

    Returns:
        The runs of the first rule; ``against`` holds those of the others, and the paired differences.

    Raises:
        OptionError: fewer than two rules, or one that is none.
        FFZooError: as ``evaluate``.
    """
    rules = given_algorithms(dict(algos) if isinstance(algos, Mapping) else algos)
    if len(rules) < 2:
        raise OptionError(f"compare got {', '.join(rules) or 'no rule'}; expected at least two rules")
    chosen = range(seeds) if isinstance(seeds, int) else seeds
    return evaluate(rules[0], data, backbone=backbone, seeds=tuple(chosen), against=rules[1:], **options)
