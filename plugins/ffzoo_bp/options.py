"""Options of plain backprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check


@dataclass(frozen=True)
class BP:
    """Options of ``bp``.

    Attributes:
        head: what the loss reads off the last block: a learned linear layer on its pooled features,
            the goodness of ``dtg_ff`` (``twin``), or the model's own classifier (``native``).
    """

    head: Literal["linear", "twin", "native"] = "linear"

    def __post_init__(self) -> None:
        check(self)
