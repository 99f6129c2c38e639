"""Augmentation of whole batches on their device, every sample with its own draw.

Draws come from an explicit generator and are made on the generator's device, so that one seed gives the
same crops on every device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.data.options import check_augment
from ffzoo.errors import OptionError


def _check_images(x: Tensor) -> None:
    if x.ndim != 4:
        raise OptionError(f"augmentation needs images (B, C, H, W), got a batch of shape {tuple(x.shape)}")


def _draw(count: int, high: int, x: Tensor, generator: torch.Generator) -> Tensor:
    """Integers from 0 to ``high - 1``, int64 (count,), on the device of ``x``."""
    return torch.randint(high, (count,), generator=generator, device=generator.device).to(x.device)


def random_crop(x: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Pad every side with its mirror image, then cut a window of the original size at a random place.

    Args:
        x: images (B, C, H, W), any dtype.
        padding: pixels added on every side.
        generator: source of the draws.

    Returns:
        Images of the same shape and dtype.

    Raises:
        OptionError: ``x`` is not a batch of images, or the padding does not fit.
    """
    _check_images(x)
    batch, channels, height, width = x.shape
    if not 0 <= padding < min(height, width):
        wanted = f"0 to {min(height, width) - 1} for {height}x{width} images"
        raise OptionError(f"crop padding={padding}: expected {wanted}")
    top = _draw(batch, 2 * padding + 1, x, generator) - padding
    left = _draw(batch, 2 * padding + 1, x, generator) - padding
    rows = top[:, None] + torch.arange(height, device=x.device)
    columns = left[:, None] + torch.arange(width, device=x.device)
    # Reading through mirrored coordinates needs no padded copy and works for every dtype.
    source_rows = (height - 1) - ((height - 1) - rows.abs()).abs()
    source_columns = (width - 1) - ((width - 1) - columns.abs()).abs()
    return x[
        torch.arange(batch, device=x.device)[:, None, None, None],
        torch.arange(channels, device=x.device)[None, :, None, None],
        source_rows[:, None, :, None],
        source_columns[:, None, None, :],
    ]


def random_flip(x: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability one half.

    Args:
        x: images (B, C, H, W), any dtype.
        generator: source of the draws.

    Returns:
        Images of the same shape and dtype.

    Raises:
        OptionError: ``x`` is not a batch of images.
    """
    _check_images(x)
    flipped = _draw(len(x), 2, x, generator).bool()
    return torch.where(flipped[:, None, None, None], x.flip(3), x)


def cutout(x: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Set one random square of each image to zero, in all channels; the square lies wholly inside.

    Args:
        x: images (B, C, H, W), any dtype.
        size: side of the square in pixels.
        generator: source of the draws.

    Returns:
        Images of the same shape and dtype.

    Raises:
        OptionError: ``x`` is not a batch of images or the square does not fit.
    """
    _check_images(x)
    batch, _, height, width = x.shape
    if not 1 <= size <= min(height, width):
        wanted = f"1 to {min(height, width)} for {height}x{width} images"
        raise OptionError(f"cutout size={size}: expected {wanted}")
    top = _draw(batch, height - size + 1, x, generator)[:, None]
    left = _draw(batch, width - size + 1, x, generator)[:, None]
    row = torch.arange(height, device=x.device)
    column = torch.arange(width, device=x.device)
    rows = (row >= top) & (row < top + size)
    columns = (column >= left) & (column < left + size)
    return x.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0)


class Augment:
    """Augmentation steps in a fixed order, sized by the images.

    ``crop`` pads by an eighth of the shorter side, ``cutout`` removes a square of a quarter of it (both at
    least one pixel), ``flip`` mirrors left to right.
    """

    def __init__(self, steps: tuple[str, ...]) -> None:
        """Choose the steps.

        Args:
            steps: names from :data:`ffzoo.data.options.AUGMENTATIONS`; empty changes nothing.

        Raises:
            OptionError: a name is unknown.
        """
        self.steps = check_augment(steps)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment one batch.

        Args:
            x: images (B, C, H, W), uint8 or float.
            generator: source of the draws.

        Returns:
            Images of the same shape and dtype.

        Raises:
            OptionError: there are steps and ``x`` is not a batch of images.
        """
        for step in self.steps:
            _check_images(x)
            side = min(x.shape[2:])
            if step == "crop":
                x = random_crop(x, max(1, side // 8), generator)
            elif step == "flip":
                x = random_flip(x, generator)
            else:
                x = cutout(x, max(1, side // 4), generator)
        return x
