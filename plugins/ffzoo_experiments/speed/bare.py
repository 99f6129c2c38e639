"""A training loop without this library: what ``bp`` on the ``cnn`` backbone computes, in plain PyTorch.

It shows what the library's own code costs. The network is written out again, and the test that both learn the same
is the only thing that ties them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo import Batch
from ffzoo.plugin import FitOptions


class Bare(nn.Module):
    """3x3 convolutions, ReLU, 2x2 max-pools and layer normalization without gain; pooled features, a linear layer.

    Args:
        width: channels of the first group; the four groups have 1, 2, 4 and 4 times as many.
        depth: number of convolutions.
        shape: of one image, ``(C, H, W)``.
        classes: K.
        fit: learning rate and weight decay of its AdamW.
        bf16: convolutions run under autocast.
    """

    def __init__(
        self, width: int, depth: int, shape: tuple[int, int, int], classes: int, fit: FitOptions, bf16: bool
    ) -> None:
        super().__init__()
        channels, side = shape[0], min(shape[1:])
        self.convs, self.pooled, group = nn.ModuleList(), set(), 0
        for l in range(depth):
            before, group = group, 4 * l // max(depth, 4)
            if group != before and side >= 4:
                self.pooled.add(l)
                side //= 2
            outputs = width * (1, 2, 4, 4)[group]
            self.convs.append(nn.Conv2d(channels, outputs, 3, padding=1))
            channels = outputs
        self.head = nn.Linear(channels, classes)
        self.fit, self.bf16 = fit, bf16

    def prepare(self, device: torch.device, compiled: bool = False) -> Bare:
        """Move to the device, channels innermost, and make the optimizer."""
        self.to(device).to(memory_format=torch.channels_last)
        if compiled:
            self.compile(dynamic=False)
        decayed = [p for p in self.parameters() if p.dim() >= 2]
        others = [p for p in self.parameters() if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": self.fit.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=self.fit.lr,
            fused=True,
        )
        return self

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, K)``."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            for l, conv in enumerate(self.convs):
                if l:
                    x = F.max_pool2d(x, 2) if l in self.pooled else x
                    x = x.permute(0, 2, 3, 1)  # the kernel wants a sample in one piece
                    x = F.layer_norm(x, x.shape[1:]).permute(0, 3, 1, 2)
                x = F.relu_(conv(x))
        return self.head(x.float().mean((-2, -1)))

    def train_step(self, batch: Batch) -> Tensor:
        """One step; returns the loss."""
        x = batch.x.contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(self(x), batch.y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()
