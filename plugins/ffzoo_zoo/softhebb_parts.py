"""The torch code of :mod:`ffzoo_zoo.softhebb`."""

from __future__ import annotations

import dataclasses
from itertools import chain

import torch
from torch import Tensor, nn

from ffzoo.plugin import (
    Backbone,
    Batch,
    BlockwiseAlgorithm,
    Execution,
    FitOptions,
    Fusion,
    FusionBuild,
    Probe,
    Samples,
    Step,
    add_gradient,
    full_precision,
    make_part,
)
from ffzoo_zoo import softhebb


class SoftHebb(BlockwiseAlgorithm):
    """Layers that learn by competition.

    The update is added as it is: of the options of training
    the rate and its schedule count, the optimizer does not.

    Attributes:
        probe: reads the blocks.
    """

    has_losses = False
    fusion = "probe"

    def __init__(self, backbone: Backbone, num_classes: int, config: softhebb.SoftHebb, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        layers = [
            (name, m)
            for name, m in backbone.named_modules()
            if isinstance(m, (nn.Linear, nn.Conv2d)) and m.weight.requires_grad
        ]
        self._layers = [
            [m for name, m in layers if backbone.owner(f"{name}.weight") == l] for l in range(backbone.depth)
        ]
        with torch.no_grad():
            for layer in chain(*self._layers) if config.radius else ():
                layer.weight.mul_(config.radius / _of_units(layer.weight, _norms(layer.weight).clamp(min=1e-12)))
        read = FusionBuild(backbone.feature_shapes, num_classes, None, 0)
        self.probe: Fusion = make_part("fusions", Probe(grid=config.grid), read)

    def run_as(self, execution: Execution) -> None:
        """See :meth:`ffzoo.Algorithm.run_as`; layers learn in hooks, which compiled blocks would not call."""
        super().run_as(dataclasses.replace(execution, compile=False))

    @torch.no_grad()
    def learn(self, chunk: Batch, step: Step) -> None:
        """Add up every layer's D, and update a block's layers behind it."""

        def read(l: int, h: Tensor) -> None:
            if step.last:
                self._update(l)

        hooks = [layer.register_forward_pre_hook(self._compete) for layer in chain(*self._layers)]
        try:
            self.read_blocks(chunk.x, read)
        finally:
            for hook in hooks:
                hook.remove()

    def _compete(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Add D to the gradient of a layer's weights, before the layer runs."""
        assert isinstance(layer, (nn.Linear, nn.Conv2d))
        x, units = full_precision(inputs[0]), 1 if isinstance(layer, nn.Conv2d) else -1
        with self.full_precision():
            with torch.enable_grad():
                u = type(layer).forward(layer, x)  # type: ignore[arg-type]
            y = -(self.config.inverse_temperature * u.detach()).softmax(units)
            winner = u.argmax(units, keepdim=True)
            y.scatter_(units, winner, -y.gather(units, winner))
            (yx,) = torch.autograd.grad(u, layer.weight, y)
            yu = (y * u).movedim(units, 0).flatten(1).sum(1)
            add_gradient(layer.weight, yx - _of_units(yx, yu) * layer.weight)

    def _update(self, l: int) -> None:
        for layer in self._layers[l]:
            w, d = layer.weight, layer.weight.grad
            if d is not None:
                rate = self.fit_options.lr * self.rate() * (_norms(w) - 1).abs().sqrt()
                w.add_(_of_units(w, rate) * d / d.abs().max().clamp(min=1e-30))
                w.grad = None

    # ---------------------------------------------------------------- the probe

    def _read(self, x: Tensor) -> list[Tensor]:
        read = [self.probe.feature(l, h) for l, h in enumerate(self.features(x))]
        return [f for f in read if f is not None]

    def finish(self, train: Samples, validation: Samples | None) -> None:
        """Fit the probe on the training set."""
        seen = [(self._read(batch.x), batch.y) for batch in train]
        blocks = [torch.cat(block) for block in zip(*(read for read, _ in seen), strict=True)]
        with torch.no_grad():
            self.probe.fit(blocks, torch.cat([y for _, y in seen]))

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return the probe's logits ``(B, K)``; no block has scores of its own."""
        return self.probe(self._read(x)), None


def _norms(weight: Tensor) -> Tensor:
    """Return the Euclidean norm of each unit's weights ``(units,)``."""
    return weight.flatten(1).norm(dim=1)


def _of_units(weight: Tensor, value: Tensor) -> Tensor:
    """Return one value per unit, shaped to multiply a layer's weights."""
    return value.view(-1, *[1] * (weight.dim() - 1))
