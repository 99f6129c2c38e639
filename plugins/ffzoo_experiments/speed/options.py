"""Options of ``speed``; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ffzoo.plugin import options, require


@options
class Speed:
    """Options of ``speed``.

    Attributes:
        algos: algorithms to measure.
        reference: what they are compared with.
        backbone: of all arms.
        width: of the backbone; its default when none.
        depth: of the backbone; its default when none.
        channels: of the random images.
        side: height and width of the random images, in pixels.
        classes: number of classes.
        batch_size: samples a step, the same for every arm.
        micro_batches: samples forwarded at once, one arm each.
        compiled: also measure with torch.compile, which needs a C++ compiler and takes minutes.
        precisions: one table each.
        rounds: timed steps of every arm.
        scaling: also vary depth, width, batch size and resolution, for the first algorithm and the reference.
        memory_rss: on the CPU, also measure the resident memory of every arm in a process of its own.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    algos: tuple[str, ...] = ("dtg_ff", "bp_deepsup")
    reference: str = "bp"
    backbone: str = "cnn"
    width: int | None = None
    depth: int | None = None
    channels: Annotated[int, Ge(1)] = 3
    side: Annotated[int, Ge(1)] = 32
    classes: Annotated[int, Ge(2)] = 10
    batch_size: Annotated[int, Ge(1)] = 128
    micro_batches: tuple[int, ...] = (64, 32, 16)
    compiled: bool = True
    precisions: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")
    rounds: Annotated[int, Ge(1)] = 15
    scaling: bool = True
    memory_rss: bool = True
    device: str = "auto"

    def __post_init__(self) -> None:
        names = (*self.algos, self.reference)
        require(bool(self.algos), "algos", ",".join(self.algos), "at least one algorithm")
        require(len(set(names)) == len(names), "algos", ",".join(self.algos), "each once, and not the reference")
        sizes = self.micro_batches
        good = len(set(sizes)) == len(sizes) and all(1 <= size < self.batch_size for size in sizes)
        require(
            good, "micro_batches", ",".join(map(str, sizes)), f"sizes below batch_size={self.batch_size}, each once"
        )
        once = len(set(self.precisions)) == len(self.precisions) >= 1
        require(once, "precisions", ",".join(self.precisions), "at least one, each once")
