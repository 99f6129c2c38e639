"""Options of the experiments that compare arms on a grid; importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
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
    workers: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        require(len(set(self.seeds)) == len(self.seeds), "seeds", ",".join(map(str, self.seeds)), "each once")
        require(self.workers >= 0, "workers", self.workers, "at least 0")


@dataclass(frozen=True)
class Resolutions(Comparison):
    """Options of ``e11``.

    Attributes:
        datasets: one, with images of at least 224 pixels a side, such as ``folder:PATH``; ``digits`` at smoke scale.
    """

    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Own:
    """Options of ``compare``.

    Attributes:
        algos: the first is compared with each of the others.
        datasets: each with its default backbone, or with ``backbone``.
        seeds: one run of every algorithm each; gaps are paired by them.
        trials: learning rates tried for each algorithm and data set, up and down from its own in steps of a factor of
            the square root of ten; the validation part chooses.
        match: compare at equal epochs, or at equal operations of training.
        epochs: of the cheapest algorithm; the data set's when none.
        backbone: for all data sets; each data set's when empty.
        settings: further keys of ``--set`` as ``KEY=VALUE``, the same for all algorithms; a value may hold commas.
        workers: processes that train side by side; 0: one for each core, or one on a GPU.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    algos: tuple[str, ...] = ("dtg_ff", "bp_deepsup", "bp")
    datasets: tuple[str, ...] = ("digits",)
    seeds: tuple[int, ...] = (0, 1, 2)
    trials: int = 3
    match: Literal["epochs", "flops"] = "epochs"
    epochs: int | None = None
    backbone: str = ""
    settings: tuple[str, ...] = ()
    workers: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        require(self.workers >= 0, "workers", self.workers, "at least 0")
        for name, least in (("algos", 2), ("datasets", 1), ("seeds", 1)):
            values = getattr(self, name)
            good = len(set(values)) == len(values) >= least
            require(good, name, ",".join(map(str, values)), f"at least {least}, each once")
        require(self.trials >= 1, "trials", self.trials, "at least 1")
        require(self.epochs is None or self.epochs >= 1, "epochs", self.epochs, "at least 1")


@dataclass(frozen=True)
class Systems:
    """Options of ``e9`` and ``e10``.

    Attributes:
        scale: ``smoke`` takes seconds and concludes nothing; ``cpu`` is for two cores; ``full`` is for a GPU.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    scale: Literal["smoke", "cpu", "full"] = "cpu"
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
