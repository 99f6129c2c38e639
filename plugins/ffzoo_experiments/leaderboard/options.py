"""Options of ``zoo``; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import options, require


@options
class Zoo:
    """Options of ``zoo``.

    Attributes:
        algos: algorithms to train; all that are registered when empty.
        datasets: each with the network and the epochs that the experiment's ``BUDGETS`` state for it.
        seeds: one run of every algorithm each.
        factors: of each algorithm's own learning rate; each is tried with the first seed, and the one with the best
            validation accuracy is used for all. The test part is not read for it.
        epochs: in place of the stated ones.
        train_size: images of the training part, stratified; all when none.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    algos: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ("digits", "mnist", "fashion_mnist")
    seeds: tuple[int, ...] = (0, 1, 2)
    factors: tuple[float, ...] = (0.25, 1.0, 4.0)
    epochs: Annotated[int, Ge(1)] | None = None
    train_size: Annotated[int, Ge(1)] | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("datasets", "seeds", "factors"):
            values = getattr(self, name)
            require(len(set(values)) == len(values) >= 1, name, ",".join(map(str, values)), "at least one, each once")
        require(len(set(self.algos)) == len(self.algos), "algos", ",".join(self.algos), "each once")
        require(min(self.factors) > 0, "factors", min(self.factors), "more than 0")
