"""The torch code of :mod:`ffzoo_zoo.noprop`."""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import (
    Backbone,
    Batch,
    BlockwiseAlgorithm,
    FitOptions,
    Learn,
    Metrics,
    MicroBatch,
    buffers_untouched,
    note,
    pool_grid,
    pooled_width,
)
from ffzoo_zoo import noprop


class NoProp(BlockwiseAlgorithm):
    """Blocks that denoise the label.

    Attributes:
        denoisers: the small network mlp_t of each block.
        output: W and b.
    """

    fusion = "denoising chain"

    def __init__(self, backbone: Backbone, num_classes: int, config: noprop.NoProp, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        widths = [pooled_width(shape, config.grid) for shape in backbone.feature_shapes]
        self.denoisers = nn.ModuleList(
            nn.Sequential(nn.Linear(width + num_classes, config.width), nn.ReLU(), nn.Linear(config.width, num_classes))
            for width in widths
        )
        self.output = nn.Linear(num_classes, num_classes)
        nn.init.eye_(self.output.weight)  # z is a label already
        self.signal = [math.sin(math.pi * t / (2 * (backbone.depth + 1))) ** 2 for t in range(backbone.depth + 1)]

    def denoised(self, l: int, h: Tensor, z: Tensor) -> Tensor:
        """Return p ``(B, K)``: what block l, with t = l + 1, makes of its features h and a noisy label z."""
        f = pool_grid(h, self.config.grid)
        return self.denoisers[l](torch.cat([F.layer_norm(f, f.shape[1:]), z], 1)).softmax(1)

    def begin(self, batch: Batch) -> None:
        """Draw the noise of all blocks."""
        shape = (self.backbone.depth + 1, len(batch.y), self.num_classes)
        like = self.output.weight
        self._noise = torch.randn(shape, generator=batch.generator, dtype=like.dtype, device=like.device)

    def _noisy(self, t: int, part: MicroBatch) -> tuple[Tensor, Tensor]:
        """Return a sample of z_t, and u; both ``(B, K)``."""
        u = F.one_hot(part.y, self.num_classes).to(self._noise.dtype)
        noise = self._noise[t, part.start : part.start + len(u)]
        return self.signal[t] ** 0.5 * u + (1 - self.signal[t]) ** 0.5 * noise, u

    def _loss(self, l: int, h: Tensor, part: MicroBatch) -> Tensor:
        z, u = self._noisy(l, part)
        snr = [a / (1 - a) for a in self.signal]
        weight = self.backbone.depth / 2 * self.config.eta * (snr[l + 1] - snr[l])
        return weight * (self.denoised(l, h, z) - u).square().sum(1).mean()

    def _output_loss(self, part: MicroBatch) -> Tensor:
        return F.cross_entropy(self.output(self._noisy(self.backbone.depth, part)[0]), part.y)

    def learn(self, part: MicroBatch, metrics: Metrics) -> None:
        """Teach each block by its own loss, then the output by its own."""

        def read(l: int, h: Tensor) -> Learn:
            loss = self._loss(l, h, part)
            note(metrics, f"loss/{l + 1}", loss, part.share)
            return partial(self._teach, part, l, loss)

        self.walk(part.x, read)
        loss = self._output_loss(part)
        note(metrics, "loss/fusion", loss, part.share)
        (part.share * loss).backward()

    def _teach(self, part: MicroBatch, l: int, loss: Tensor) -> None:
        (part.share * loss).backward()
        if part.last:
            self.optimizers.step(l)

    def losses(self, batch: Batch) -> list[Tensor]:
        """Return each block's loss, then the output's; with their graphs."""
        self.begin(batch)
        part = MicroBatch(batch.x, batch.y)
        found: list[Tensor] = []
        with buffers_untouched(self):
            self.walk(batch.x, lambda l, h: found.append(self._loss(l, h, part)))
        return [*found, self._output_loss(part)]

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return the logits at the end of the chain, and p of every block in it; all ``(B, K)``."""
        z, blocks = x.new_zeros(len(x), self.num_classes), list[Tensor | None]()
        with self.evaluating():
            for l, h in enumerate(self.features(x)):
                before, after = self.signal[l : l + 2]
                p, r = self.denoised(l, h, z), before / after
                z = (after**0.5 * (1 - r) * p + r**0.5 * (1 - after) * z) / (1 - before)
                blocks.append(p)
            return self.output(z), blocks
