"""A backbone for short trainings: a fixed whitening stem, 3x3 convolutions, batch normalization, GELU.

    stem:  x -> GELU(V^T patch / sqrt(lambda + eps)), both signs    2x2 patches; V, lambda: their covariance's
    unit:  x -> GELU(BatchNorm(pool(conv3x3(x))))                   pool: 2x2 maximum, in every other unit

After the fast CIFAR-10 networks of D. Page and K. Jordan (airbench, arXiv:2404.00498): whitened inputs,
partly identity initial filters, pooling before the norm and a norm without scale. A block is one unit or
two, and what a goodness reads is the output of its GELU.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.backbones.native import SequentialBackbone
from ffzoo.backbones.options import WhitenedCNN
from ffzoo.errors import OptionError

EPS = 5e-4
"""Added to every variance of the patches: a direction without any is not blown up to noise."""

MOMENTUM = 0.4
"""Of the running statistics, in torch's sense: the share of the newest batch.

Torch's own 0.1 averages over some twenty steps. With few steps and high rates the weights of twenty steps
ago are another network's; 0.4 averages over about four.
"""

_CHUNK = 512  # images whose patches are unfolded at once


class WhiteningStem(nn.Module):
    """Both signs of the whitened 2x2 patches, behind a GELU: ``(B, C, H, W) -> (B, 8C, H - 1, W - 1)``.

    Its filters are fixed, so they are a buffer. Until :meth:`fit` they read one pixel of the patch each.

    Args:
        channels: of the input.
    """

    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", _both_signs(torch.eye(4 * channels), channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, C, H, W) -> (B, 8C, H - 1, W - 1)``."""
        return F.gelu(F.conv2d(x, self.weight))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Take the filters from the patches of images ``(B, C, H, W)``.

        Row i is the i-th eigenvector of the patches' covariance over the square root of its eigenvalue, so that
        the first half of the outputs has the covariance 1 before the GELU, less where a variance is close to EPS.
        """
        d = 4 * x.shape[1]
        # In double precision on the CPU, whatever the device: the same filters everywhere, and no cancellation.
        count, total = 0, torch.zeros(d, dtype=torch.float64, device="cpu")
        square = total.new_zeros(d, d)
        for chunk in x.split(_CHUNK):
            patches = F.unfold(chunk.to("cpu", torch.float64), 2).transpose(1, 2).reshape(-1, d)
            count += len(patches)
            total += patches.sum(0)
            square += patches.T @ patches
        mean = total / count
        values, vectors = torch.linalg.eigh(square / count - torch.outer(mean, mean))
        # Rounding may leave an eigenvalue of zero just below it.
        rows = vectors.T / (values.clamp(min=0) + EPS).sqrt()[:, None]
        # An eigenvector's sign is arbitrary: its largest entry is positive, so that one machine's filters are
        # another's.
        largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
        self.weight.copy_(_both_signs(rows * largest.sign(), x.shape[1]))


def _both_signs(rows: Tensor, channels: int) -> Tensor:
    """Return filters ``(8C, C, 2, 2)``: the rows ``(4C, 4C)``, ordered as in ``unfold``, and their negatives."""
    return torch.cat([rows, -rows]).view(-1, channels, 2, 2)


class BiasedBatchNorm(nn.BatchNorm2d):
    """Batch normalization with a learned bias and no scale.

    The next filters, or a readout, can take up any scale; and without one that of its own filters is irrelevant.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, momentum=MOMENTUM)
        self.register_parameter("weight", None)


class ConvUnit(nn.Module):
    """``gelu(norm(pool(conv3x3(x))))``: ``(B, C, H, W) -> (B, C', H', W')``.

    The convolution has no bias, because the norm subtracts it again. Its first ``min(C, C')`` filters start as the
    identity, the others as random ones of about the same norm, 1.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        pool: halve the map.
        generator: draws the initial weights; None for the global one.
    """

    def __init__(self, inputs: int, outputs: int, pool: bool, generator: torch.Generator | None = None) -> None:
        super().__init__()
        # By way of the meta device: a layer's default initialization would draw from the global generator.
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False, device="meta").to_empty(
            device=torch.get_default_device()
        )
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="linear", generator=generator)
        nn.init.dirac_(self.conv.weight[: min(inputs, outputs)])
        self.norm = BiasedBatchNorm(outputs)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, C, H, W) -> (B, C', H, W)``, or half of each side with a pool."""
        x = self.conv(x)
        # Before the norm: it and everything after it then see a quarter of the positions.
        return F.gelu(self.norm(F.max_pool2d(x, 2) if self.pool else x))


class WhitenedCNNBackbone(SequentialBackbone):
    """Units of a convolution, a norm and a GELU behind a whitening stem, one or two a block.

    The stem belongs to block 0; it does not count as a weight layer, because nothing trains it.

    Args:
        config: widths, and units a block.
        input_shape: ``(C, H, W)``.
        generator: draws the initial weights; None for the global one.

    Raises:
        OptionError: ``input_shape`` is not ``(C, H, W)`` with H and W of at least 3.
    """

    normalized = True

    def __init__(
        self, config: WhitenedCNN, input_shape: Sequence[int], generator: torch.Generator | None = None
    ) -> None:
        if len(input_shape) != 3 or input_shape[0] < 1 or min(input_shape[1:]) < 3:
            raise OptionError(
                f"backbone 'whitened_cnn' got inputs of shape {tuple(input_shape)}; expected (C, H, W) with H and W "
                "of at least 3"
            )
        channels, height, width = input_shape[0], input_shape[1] - 1, input_shape[2] - 1
        blocks: list[nn.Module] = []
        shapes: list[tuple[int, ...]] = []
        units: OrderedDict[str, nn.Module] = OrderedDict(stem=WhiteningStem(channels))
        channels *= 8
        for number, outputs in enumerate(config.widths):
            pool = number % 2 == 0 and min(height, width) >= 4
            if pool:
                height, width = height // 2, width // 2
            units[f"unit{number % config.convs_per_block}"] = ConvUnit(channels, outputs, pool, generator)
            channels = outputs
            if (number + 1) % config.convs_per_block == 0 or number == len(config.widths) - 1:
                blocks.append(nn.Sequential(units))
                shapes.append((outputs, height, width))
                units = OrderedDict()
        super().__init__("whitened_cnn", input_shape, blocks, shapes)

    def calibrate(self, x: Tensor) -> None:
        """Whiten the patches of ``x`` ``(B, C, H, W)`` from now on."""
        stem = self.get_submodule("blocks.0.stem")
        assert isinstance(stem, WhiteningStem)
        stem.fit(x)
