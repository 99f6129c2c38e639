"""Deliberately leaky algorithms: each breaks the layer-local contract in one way that really occurs.

``Honest`` is the positive control. It shares no code with the engine, so that the kit is shown to need no
knowledge of it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo import Algorithm, Batch, FitOptions
from ffzoo.backbones.base import Backbone


class Honest(Algorithm):
    """Each block has a linear readout and a cross-entropy; a linear head reads the detached last block.

    All losses are summed before one backward, as most published code does it; every block has its own
    momentum.
    """

    fusion = "head"

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, None, fit)
        sizes = [math.prod(shape) for shape in backbone.feature_shapes]
        self.readouts = nn.ModuleList(nn.Linear(size, num_classes) for size in sizes)
        self.head = nn.Linear(sum(sizes), num_classes)
        self.momentum: dict[str, Tensor] = {}

    def owner(self, key: str) -> int | None:
        module, _, rest = key.removeprefix("momentum.").partition(".")
        if module == "backbone":
            return self.backbone.owner(rest)
        return int(rest.split(".")[0]) if module == "readouts" else None

    # What a leak overrides.

    def pass_on(self, l: int, h: Tensor) -> Tensor:
        """What block l + 1 reads of block l."""
        return F.layer_norm(h.detach(), h.shape[1:])

    def head_reads(self, h: Tensor) -> Tensor:
        return h.detach()

    def weigh(self, losses: list[Tensor]) -> list[Tensor]:
        return losses

    def rescale(self, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        return gradients

    def _walk(self, x: Tensor) -> list[Tensor]:
        kept: list[Tensor] = []

        def visit(l: int, out: Any) -> Any:
            kept.append(self.backbone.features(l, out))
            return self.backbone.downsample(l + 1, self.pass_on(l, kept[-1]))

        self.backbone.walk(x, visit)
        return kept

    def losses(self, batch: Batch) -> list[Tensor] | None:
        return self.step_losses(batch)

    def step_losses(self, batch: Batch) -> list[Tensor]:
        kept = self._walk(batch.x)
        blocks = [F.cross_entropy(r(h.flatten(1)), batch.y) for r, h in zip(self.readouts, kept, strict=True)]
        head = self.head(torch.cat([self.head_reads(h).flatten(1) for h in kept], 1))
        return [*self.weigh(blocks), F.cross_entropy(head, batch.y)]

    def train_step(self, batch: Any, y: Tensor | None = None) -> dict[str, Tensor]:
        self.train()
        losses = self.step_losses(batch)
        named = dict(self.named_parameters())
        found = torch.autograd.grad(torch.stack(losses).sum(), list(named.values()), allow_unused=True)
        gradients = self.rescale({n: g for n, g in zip(named, found, strict=True) if g is not None})
        with torch.no_grad():
            for name, gradient in gradients.items():
                key = f"momentum.{name}"
                self.momentum[key] = 0.9 * self.momentum.get(key, torch.zeros_like(gradient)) + gradient
                named[name].sub_(0.05 * self.momentum[key])
        return {f"loss/{l + 1}": loss.detach() for l, loss in enumerate(losses[:-1])}

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return dict(self.momentum), {}

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        self.momentum = dict(tensors)


class MissingDetach(Honest):
    """The graph goes on into the next block."""

    def pass_on(self, l: int, h: Tensor) -> Tensor:
        return F.layer_norm(h, h.shape[1:])


class ReachingHead(Honest):
    """The fusion head's loss reaches back into the blocks it reads."""

    def head_reads(self, h: Tensor) -> Tensor:
        return h


class SharedNorm(Honest):
    """One affine normalization stands in front of every block, and all of them train it."""

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, fit)
        self.gain = nn.Parameter(torch.ones(()))

    def pass_on(self, l: int, h: Tensor) -> Tensor:
        return self.gain * super().pass_on(l, h)

    def _walk(self, x: Tensor) -> list[Tensor]:
        return super()._walk(self.gain * x)


class TiedWeights(Honest):
    """The first and the last block share one readout bias."""

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, fit)
        self.readouts[0].bias = self.readouts[-1].bias


class SharedSecondMoment(Honest):
    """One running second moment, over all blocks, scales every update."""

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, fit)
        self.second_moment = torch.ones(())

    def rescale(self, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        square = torch.stack([g.square().sum() for g in gradients.values()]).sum()
        self.second_moment = 0.9 * self.second_moment + 0.1 * square
        return {name: g / self.second_moment.sqrt() for name, g in gradients.items()}

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return {**self.momentum, "second_moment": self.second_moment}, {}

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        self.momentum = {key: value for key, value in tensors.items() if key != "second_moment"}
        self.second_moment = tensors["second_moment"]


class BorrowedRate(Honest):
    """A block's step size is the next block's; step sizes are kept with the optimizer and never change."""

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, fit)
        self.rates = {f"rate.{l}": torch.ones(()) for l in range(backbone.depth)}

    def owner(self, key: str) -> int | None:
        return int(key.removeprefix("rate.")) if key in self.rates else super().owner(key)

    def rescale(self, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        def rate(name: str) -> Tensor:
            return self.rates.get(f"rate.{(self.owner(name) or 0) + 1}", torch.ones(()))

        return {name: g * rate(name) for name, g in gradients.items()}

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return self.momentum | self.rates, {}

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        self.momentum = {key: value for key, value in tensors.items() if key not in self.rates}
        self.rates = {key: tensors[key] for key in self.rates}


class GlobalClip(Honest):
    """The gradient norm is clipped over all blocks together."""

    def rescale(self, gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        norm = torch.stack([g.square().sum() for g in gradients.values()]).sum().sqrt()
        return {name: g * (0.1 / norm).clamp(max=1) for name, g in gradients.items()}


class BackwardStatistic(Honest):
    """A running mean that belongs to the last block is read by the first one in the next step."""

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, fit)
        self.register_buffer("running", torch.zeros(()))

    def owner(self, key: str) -> int | None:
        return self.backbone.depth - 1 if key == "running" else super().owner(key)

    def _walk(self, x: Tensor) -> list[Tensor]:
        kept = super()._walk(x / (1 + self.running))
        self.running = 0.9 * self.running + 0.1 * kept[-1].detach().mean()
        return kept


class InPlaceCorruption(Honest):
    """Block l + 1 scales its input in place, which is block l's output under another name."""

    def __init__(self, backbone: Backbone, num_classes: int, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, fit)
        self.gains = nn.ParameterList(torch.full((), 0.5) for _ in range(backbone.depth))

    def owner(self, key: str) -> int | None:
        module, _, rest = key.removeprefix("momentum.").partition(".")
        return int(rest) if module == "gains" else super().owner(key)

    def pass_on(self, l: int, h: Tensor) -> Tensor:
        # .data, unlike detach(), does not even tell autograd that the values have changed.
        return h if l + 1 == self.backbone.depth else h.data.mul_(self.gains[l + 1].detach())


class BorrowedGoodness(Honest):
    """A block's loss is weighted by the (detached) loss of the next one; no coupling is declared."""

    def weigh(self, losses: list[Tensor]) -> list[Tensor]:
        return [loss * following.detach() for loss, following in zip(losses, [*losses[1:], losses[-1]], strict=True)]
