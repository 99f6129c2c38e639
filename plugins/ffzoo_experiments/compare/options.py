"""Options of ``compare``; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ffzoo.plugin import options, require


@options
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
    trials: Annotated[int, Ge(1)] = 3
    match: Literal["epochs", "flops"] = "epochs"
    epochs: Annotated[int, Ge(1)] | None = None
    backbone: str = ""
    settings: tuple[str, ...] = ()
    workers: Annotated[int, Ge(0)] = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name, least in (("algos", 2), ("datasets", 1), ("seeds", 1)):
            values = getattr(self, name)
            good = len(set(values)) == len(values) >= least
            require(good, name, ",".join(map(str, values)), f"at least {least}, each once")
