"""The torch code of :mod:`ffzoo_zoo.noprop`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import (
    Backbone,
    Batch,
    BlockwiseAlgorithm,
    FitOptions,
    Step,
    buffers_untouched,
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
        self.grid, self.eta, depth = config.grid, config.eta, backbone.depth
        widths = [pooled_width(shape, config.grid) for shape in backbone.feature_shapes]
        self.denoisers = nn.ModuleList(
            nn.Sequential(nn.Linear(width + num_classes, config.width), nn.ReLU(), nn.Linear(config.width, num_classes))
            for width in widths
        )
        self.output = nn.Linear(num_classes, num_classes)
        nn.init.eye_(self.output.weight)  # z is a label already
        self.signal = [math.sin(math.pi * t / (2 * (depth + 1))) ** 2 for t in range(depth + 1)]

    def denoised(self, l: int, h: Tensor, z: Tensor) -> Tensor:
        """Return what block l, with t = l + 1, makes of its features h and a noisy label z: p ``(B, K)``."""
        f = pool_grid(h, self.grid)
        return self.denoisers[l](torch.cat([F.layer_norm(f, f.shape[1:]), z], 1)).softmax(1)

    def begin(self, batch: Batch) -> None:
        """Draw the noise of all blocks."""
        shape = (self.backbone.depth + 1, len(batch.y), self.num_classes)
        like = self.output.weight
        self._noise = torch.randn(shape, generator=batch.generator, dtype=like.dtype, device=like.device)

    def _noisy(self, t: int, chunk: Batch, step: Step) -> tuple[Tensor, Tensor]:
        """Return a sample of z_t, and u; both ``(B, K)``."""
        u = F.one_hot(chunk.y, self.num_classes).to(self._noise.dtype)
        return self.signal[t] ** 0.5 * u + (1 - self.signal[t]) ** 0.5 * self._noise[t, step.rows], u

    def _loss(self, l: int, h: Tensor, chunk: Batch, step: Step) -> Tensor:
        z, u = self._noisy(l, chunk, step)
        snr = [a / (1 - a) for a in self.signal]
        weight = self.backbone.depth / 2 * self.eta * (snr[l + 1] - snr[l])
        return weight * (self.denoised(l, h, z) - u).square().sum(1).mean()

    def learn(self, chunk: Batch, step: Step) -> None:
        """Let each block learn from its loss, then the output from its own."""
        loss = self._walk(chunk, step)
        step.note("loss/fusion", loss)
        step.backward(loss)

    def _walk(self, chunk: Batch, step: Step) -> Tensor:
        def read(l: int, h: Tensor) -> None:
            loss = self._loss(l, h, chunk, step)
            step.note(f"loss/{l + 1}", loss)
            step.learn(l, loss)

        self.read_blocks(chunk.x, read)
        z, _ = self._noisy(self.backbone.depth, chunk, step)
        return F.cross_entropy(self.output(z), chunk.y)

    def losses(self, batch: Batch) -> list[Tensor]:
        """Return each block's loss, then the output's; with their graphs."""
        self.begin(batch)
        step = Step.of(batch)
        with buffers_untouched(self):
            output = self._walk(batch, step)
        return [*step.losses.values(), output]

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return logits at the end of the chain, and p of every block in it; all ``(B, K)``."""
        z, blocks = x.new_zeros(x.shape[0], self.num_classes), list[Tensor | None]()
        with self.evaluating():
            for l, h in enumerate(self.features(x)):
                before, after = self.signal[l : l + 2]
                p, r = self.denoised(l, h, z), before / after
                z = (after**0.5 * (1 - r) * p + r**0.5 * (1 - after) * z) / (1 - before)
                blocks.append(p)
            return self.output(z), blocks
