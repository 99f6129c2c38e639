"""Options of the experiments that compare arms on a grid; importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.options import check, require


@dataclass(frozen=True)
class Comparison:
    """Options of the experiments on the claims, ``e2`` to ``e7``.

    Attributes:
        scale: ``smoke`` takes seconds and concludes nothing; ``cpu`` is for two cores; ``full`` is for a GPU.
        seeds: the scale's own when empty.
        workers: processes that train side by side; 0: one for each core, or one on a GPU.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    scale: Literal["smoke", "cpu", "full"] = "cpu"
    seeds: tuple[int, ...] = ()
    workers: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        require(len(set(self.seeds)) == len(self.seeds), "seeds", ",".join(map(str, self.seeds)), "each once")
        require(self.workers >= 0, "workers", self.workers, "at least 0")
