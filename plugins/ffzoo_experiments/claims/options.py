"""Options of the experiments on the claims; importing this module does not import torch."""

from __future__ import annotations

from typing import Literal

from ffzoo.bench import Comparison
from ffzoo.plugin import options


@options
class Strong(Comparison):
    """Options of ``e1`` and ``e2``, which have one scale more.

    Attributes:
        scale: ``smoke`` takes seconds and concludes nothing; ``cpu`` is for two cores; ``strong`` is for two cores
            with bf16 units and takes hours, where accuracies are those of the literature; ``full`` is for a GPU.
    """

    scale: Literal["smoke", "cpu", "strong", "full"] = "cpu"  # type: ignore[assignment]  # a choice more


@options
class Resolutions(Strong):
    """Options of ``e11``.

    Attributes:
        datasets: one, with images of at least 224 pixels per side, such as ``folder:PATH``; ``digits`` at smoke scale,
            CIFAR-10 and CIFAR-100 at strong scale.
    """

    datasets: tuple[str, ...] = ()


@options
class Systems:
    """Options of ``e9`` and ``e10``.

    Attributes:
        scale: ``smoke`` takes seconds and concludes nothing; ``cpu`` is for two cores; ``full`` is for a GPU.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    scale: Literal["smoke", "cpu", "full"] = "cpu"
    device: str = "auto"
