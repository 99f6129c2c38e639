"""What ``speed`` found, as typed values; ``speed.json`` has the same fields. No torch in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ffzoo.bench import Ratio
    from ffzoo_experiments.speed.options import Speed


@dataclass(frozen=True)
class ArmResult:
    """One arm in one precision. What was not measured is None.

    Attributes:
        precision: ``fp32`` or ``bf16``.
        name: of the arm.
        algo: the algorithm.
        kind: how it is run.
        micro_batch: samples forwarded at once; 0 for the whole batch.
        images_per_second: batch size over the median time of a step.
        ratio: images per second over the reference's, paired by round.
        seconds: of each timed step; the same position is the same round in every arm.
        flops: operations of matrix products and convolutions in a step, counted.
        saved_activation_bytes: peak bytes kept for a later backward, counted.
        saved_ratio: the same over the reference's.
        peak_allocated_bytes: of the CUDA allocator while only this arm was there.
        peak_reserved_bytes: what the allocator held of the device then.
        peak_rss_bytes: growth of resident memory over a few steps, in a process of its own.
        ceiling_flops_per_second: of the layers of this arm's step, each run alone.
        utilisation: ``flops`` over the median time, over that ceiling.
    """

    precision: str
    name: str
    algo: str
    kind: str
    micro_batch: int
    images_per_second: float
    ratio: Ratio
    seconds: list[float]
    flops: int
    saved_activation_bytes: int
    saved_ratio: float
    peak_allocated_bytes: int | None
    peak_reserved_bytes: int | None
    peak_rss_bytes: int | None
    ceiling_flops_per_second: float | None
    utilisation: float | None


@dataclass(frozen=True)
class ScaleResult:
    """The first algorithm against the reference at one size.

    Attributes:
        axis: ``depth``, ``width``, ``batch`` or ``resolution``.
        value: of it; the others stay what the options say.
        ratio: images per second of the algorithm over the reference's, paired by round.
        images_per_second: by arm.
        saved_activation_bytes: by arm; along the depth also for arms that are not timed.
    """

    axis: str
    value: int
    ratio: Ratio
    images_per_second: dict[str, float]
    saved_activation_bytes: dict[str, int]


@dataclass(frozen=True)
class Findings:
    """Everything ``speed`` found.

    Attributes:
        config: the options.
        machine: hardware, versions and commit.
        copy_bytes_per_second: read and written by a copy in memory.
        arms: arm by arm, one precision after the other, each beginning with the reference.
        scaling: size by size.
        left_out: what was not measured, and why.
    """

    config: Speed
    machine: dict[str, Any]
    copy_bytes_per_second: float
    arms: list[ArmResult]
    scaling: list[ScaleResult]
    left_out: dict[str, str]

    def of(self, precision: str) -> list[ArmResult]:
        """The arms of one precision."""
        return [arm for arm in self.arms if arm.precision == precision]

    def along(self, axis: str) -> list[ScaleResult]:
        """The sizes of one axis."""
        return [size for size in self.scaling if size.axis == axis]

    def growth(self, first: int = 8, last: int = 32) -> dict[str, float]:
        """How many times as many activations each arm saves at the depth ``last`` as at ``first``."""
        saved = {size.value: size.saved_activation_bytes for size in self.along("depth")}
        if first not in saved or last not in saved:
            return {}
        return {name: saved[last][name] / count for name, count in saved[first].items() if name in saved[last]}
