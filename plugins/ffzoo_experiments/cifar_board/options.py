"""Options of ``cifar_board``; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import options, require


@options
class CifarBoard:
    """Options of ``cifar_board``.

    Attributes:
        algos: algorithms to train; all that are registered when empty.
        dataset: what to train on.
        seeds: every algorithm is trained with the first; those with a published figure and the best ones with all.
        best: number of algorithms that count as the best, by validation accuracy.
        factors: of the learning rates; each is tried with the first seed on a part of the training set, and the one
            with the best validation accuracy is used. The test set is not read for it.
        epochs: passes over the training set.
        search_size: images that the search trains on, stratified.
        train_size: images of the training set, stratified; all when none.
        workers: processes that train side by side; 0: one for each core, or one on a GPU.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    algos: tuple[str, ...] = ()
    dataset: str = "cifar10"
    seeds: tuple[int, ...] = (0, 1, 2)
    best: Annotated[int, Ge(0)] = 10
    factors: tuple[float, ...] = (0.1, 0.3, 1.0)
    epochs: Annotated[int, Ge(1)] = 5
    search_size: Annotated[int, Ge(1)] = 10_000
    train_size: Annotated[int, Ge(1)] | None = None
    workers: Annotated[int, Ge(0)] = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("seeds", "factors"):
            values = getattr(self, name)
            require(len(set(values)) == len(values) >= 1, name, ",".join(map(str, values)), "at least one, each once")
        require(len(set(self.algos)) == len(self.algos), "algos", ",".join(self.algos), "each once")
        require(min(self.factors) > 0, "factors", min(self.factors), "more than 0")
