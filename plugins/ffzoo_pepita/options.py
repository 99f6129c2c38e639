"""Options of PEPITA."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.parts.options import OutputOptions
from ffzoo.registry.options import require


@dataclass(frozen=True)
class PEPITA(OutputOptions):
    """An output layer, and how far the error moves the input.

    Attributes:
        scale: of the matrix that carries the error to the input, uniform in +-scale * sqrt(6 / number of inputs).
    """

    scale: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.scale > 0, "scale", self.scale, "> 0")
