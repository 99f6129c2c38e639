"""Options of the experiments; importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class Speed:
    """Options of ``speed``.

    Attributes:
        algos: algorithms to measure.
        reference: what they are compared with.
        backbone: of all arms.
        width: of the backbone; its default when none.
        depth: of the backbone; its default when none.
        channels: of the random images.
        side: height and width of the random images, in pixels.
        classes: number of classes.
        batch_size: samples a step, the same for every arm.
        micro_batches: samples forwarded at once, one arm each.
        compiled: also measure with torch.compile, which needs a C++ compiler and takes minutes.
        precisions: one table each.
        rounds: timed steps of every arm.
        scaling: also vary depth, width, batch size and resolution, for the first algorithm and the reference.
        memory_rss: on the CPU, also measure the resident memory of every arm in a process of its own.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    algos: tuple[str, ...] = ("dtg_ff", "bp_deepsup")
    reference: str = "bp"
    backbone: str = "cnn"
    width: int | None = None
    depth: int | None = None
    channels: int = 3
    side: int = 32
    classes: int = 10
    batch_size: int = 128
    micro_batches: tuple[int, ...] = (64, 32, 16)
    compiled: bool = True
    precisions: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")
    rounds: int = 15
    scaling: bool = True
    memory_rss: bool = True
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        names = (*self.algos, self.reference)
        require(bool(self.algos), "algos", ",".join(self.algos), "at least one algorithm")
        require(len(set(names)) == len(names), "algos", ",".join(self.algos), "each once, and not the reference")
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        require(self.side >= 1, "side", self.side, "at least 1")
        require(self.classes >= 2, "classes", self.classes, "at least 2")
        require(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        sizes = self.micro_batches
        good = len(set(sizes)) == len(sizes) and all(1 <= size < self.batch_size for size in sizes)
        require(
            good, "micro_batches", ",".join(map(str, sizes)), f"sizes below batch_size={self.batch_size}, each once"
        )
        once = len(set(self.precisions)) == len(self.precisions) >= 1
        require(once, "precisions", ",".join(self.precisions), "at least one, each once")
        require(self.rounds >= 1, "rounds", self.rounds, "at least 1")


@dataclass(frozen=True)
class TimeToAccuracy:
    """Options of ``time_to_accuracy``.

    Attributes:
        algo: the local rule; its backprop twins are made of it.
        config: the recipe, a shipped configuration or a TOML file.
        settings: further keys of ``--set`` as ``KEY=VALUE``, for all arms made of ``algo``; keys of ``fit``,
            ``backbone`` and ``data`` hold for ``others`` too.
        arms: of ``local``, ``twin_deepsup`` and ``twin_bp``.
        others: further algorithms under the same recipe.
        dataset: the configuration's own when empty.
        seeds: one run of every arm each.
        epochs: the configuration's own when none.
        precision: the configuration's own when none; ``bf16`` convolves directly.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    algo: str = "dgl"
    config: str = "fast_cifar"
    settings: tuple[str, ...] = ()
    arms: tuple[Literal["local", "twin_deepsup", "twin_bp"], ...] = ("local", "twin_deepsup", "twin_bp")
    others: tuple[str, ...] = ()
    dataset: str = ""
    seeds: tuple[int, ...] = (0,)
    epochs: int | None = None
    precision: Literal["fp32", "bf16"] | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        require(bool(self.arms), "arms", ",".join(self.arms), "at least one of local, twin_deepsup and twin_bp")
        once = len({*self.arms}) == len(self.arms) and len({self.algo, *self.others}) == 1 + len(self.others)
        require(once, "others", ",".join(self.others), "each arm once, and not algo itself")
        require(len(set(self.seeds)) == len(self.seeds) >= 1, "seeds", self.seeds, "at least one, each once")
        require(self.epochs is None or self.epochs >= 1, "epochs", self.epochs, "at least 1")


@dataclass(frozen=True)
class Zoo:
    """Options of ``zoo``.

    Attributes:
        algos: algorithms to train; all that are registered when empty.
        datasets: each with the network and the number of epochs that ``ffzoo_experiments.zoo`` states for it.
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
    epochs: int | None = None
    train_size: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        for name in ("datasets", "seeds", "factors"):
            values = getattr(self, name)
            require(len(set(values)) == len(values) >= 1, name, ",".join(map(str, values)), "at least one, each once")
        require(len(set(self.algos)) == len(self.algos), "algos", ",".join(self.algos), "each once")
        require(min(self.factors) > 0, "factors", min(self.factors), "more than 0")
        require(self.epochs is None or self.epochs >= 1, "epochs", self.epochs, "at least 1")
        require(self.train_size is None or self.train_size >= 1, "train_size", self.train_size, "at least 1")
