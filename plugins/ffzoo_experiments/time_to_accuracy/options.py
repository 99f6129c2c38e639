"""Options of ``time_to_accuracy``; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ffzoo.plugin import options, require


@options
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
    epochs: Annotated[int, Ge(1)] | None = None
    precision: Literal["fp32", "bf16"] | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        require(bool(self.arms), "arms", ",".join(self.arms), "at least one of local, twin_deepsup and twin_bp")
        once = len({*self.arms}) == len(self.arms) and len({self.algo, *self.others}) == 1 + len(self.others)
        require(once, "others", ",".join(self.others), "each arm once, and not algo itself")
        require(len(set(self.seeds)) == len(self.seeds) >= 1, "seeds", self.seeds, "at least one, each once")
