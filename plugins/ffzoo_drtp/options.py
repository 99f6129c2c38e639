"""Options of direct random target projection."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.parts.options import OutputOptions


@dataclass(frozen=True)
class DRTP(OutputOptions):
    """An output layer, and units that saturate.

    Attributes:
        squash: a tanh behind every block; without it nothing ends the push of a target, and units grow or die.
    """

    squash: bool = True
