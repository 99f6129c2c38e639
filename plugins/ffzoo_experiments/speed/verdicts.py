"""The verdicts of ``speed``: one sentence each, and no more than its interval shows."""

from __future__ import annotations

from ffzoo.bench import Ratio, ratio
from ffzoo_experiments.speed.results import ArmResult, Findings

# What one would train with; the other ways show where speed comes from.
_RUNS = ("plain", "bare", "bare compiled", "compiled", "micro-batch", "checkpointing", "winograd")


def verdicts(found: Findings) -> tuple[str, ...]:
    """Of every precision, and of the scaling."""
    lines = [line for precision in found.config.precisions for line in _of_precision(found, precision)]
    growth = found.growth()
    if growth:
        algo, reference = found.config.algos[0], found.config.reference
        lines.append(
            f"at depth 32 the saved activations of {algo} are {growth[algo]:.2f} x those at depth 8, "
            f"those of {reference} {growth[reference]:.2f} x"
        )
    return tuple(lines)


def _of_precision(found: Findings, precision: str) -> list[str]:
    arms, reference = found.of(precision), found.config.reference
    by_kind = {arm.kind: arm for arm in arms if arm.algo == reference}
    own_fastest = _fastest([arm for arm in arms if arm.algo == reference])
    lines = []
    for algo in found.config.algos:
        runs = [arm for arm in arms if arm.algo == algo]
        if not runs:
            continue
        best = _fastest(runs)
        line = (
            f"{precision}: {_named(best)} trains at {best.ratio} x {reference}'s images per second"
            f"{_doubt(best.ratio)}, with {best.saved_ratio:.2f} x its saved activations"
        )
        if own_fastest.kind != "plain":
            against = ratio(own_fastest.seconds, best.seconds)
            saved = best.saved_activation_bytes / own_fastest.saved_activation_bytes
            line += f"; against {_named(own_fastest)}, the fastest {reference}, {against} x{_doubt(against)}"
            line += f", with {saved:.2f} x"
        lines.append(line)
    again = by_kind["again"].ratio
    noise = "which differs from 1: the timing is off" if again.side else "where 1 is true"
    lines.append(f"{precision}: {reference} against itself measures {again} x, {noise}")
    if "bare" in by_kind:
        bare = by_kind["bare"].ratio
        what = f"a plain PyTorch loop of {reference}'s network"
        lines.append(f"{precision}: {what} trains at {bare} x {reference}{_doubt(bare)}")
    return lines


def _fastest(arms: list[ArmResult]) -> ArmResult:
    return max((arm for arm in arms if arm.kind in _RUNS), key=lambda arm: arm.ratio.median)


def _named(arm: ArmResult) -> str:
    if arm.kind.startswith("bare"):
        return arm.name
    how = {"compiled": " compiled", "checkpointing": " with checkpointing", "winograd": " with winograd"}.get(
        arm.kind, ""
    )
    return f"{arm.algo}{how}" + (f" at micro-batch {arm.micro_batch}" if arm.micro_batch else "")


def _doubt(value: Ratio) -> str:
    if value.low is None:
        return " (too few rounds for an interval)"
    return "" if value.side else " (no difference seen)"
