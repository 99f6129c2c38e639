"""Options of an experiment on claims; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ffzoo.registry.options import options, require


@options
class Comparison:
    """Options of the experiments on the claims that train a grid: ``e1`` to ``e8``, ``e12`` and ``e13``.

    Attributes:
        scale: ``smoke`` takes seconds and concludes nothing; ``cpu`` is for two cores; ``full`` is for a GPU.
        seeds: the scale's own when empty.
        workers: processes that train side by side; 0: one for each core, or one on a GPU.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    scale: Literal["smoke", "cpu", "full"] = "cpu"
    seeds: tuple[int, ...] = ()
    workers: Annotated[int, Ge(0)] = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        require(len(set(self.seeds)) == len(self.seeds), "seeds", ",".join(map(str, self.seeds)), "each once")
