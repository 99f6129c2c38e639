"""Options of the shared table."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class LabelDictionary:
    """Label embeddings that all blocks share.

    Attributes:
        temperature: T, a constant.
    """

    temperature: float = 20.0

    def __post_init__(self) -> None:
        check(self)
        require(self.temperature > 0, "temperature", self.temperature, "> 0")
