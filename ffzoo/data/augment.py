"""Augmentation of whole batches on their device, every sample with its own draw.

Draws come from an explicit generator and are made on the generator's device, so that one seed gives the
same crops on every device. What alternates from epoch to epoch is a function of seed, sample and epoch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
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


def views(x: Tensor, flip: bool = False, shift: int = 0) -> list[Tensor]:
    """Return what predictions are averaged over: images, moved by ``shift`` pixels to two opposite corners, mirrored.

    Args:
        x: images (B, C, H, W); of any shape without ``flip`` and ``shift``.
        flip: add the mirror image of each.
        shift: pixels, below the images' sides; the border is filled with a mirror image.
    """
    found = [x]
    if shift:
        height, width = x.shape[2:]
        padded = F.pad(x, (shift,) * 4, mode="reflect")
        found += [padded[:, :, :height, :width], padded[:, :, -height:, -width:]]
    return found + [view.flip(3) for view in found] if flip else found


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


def alternating_flip(x: Tensor, index: Tensor, epoch: int, seed: int) -> Tensor:
    """Mirror each image left to right in every second epoch, half of them in the even ones.

    Every two epochs then show each image once as it is and once mirrored (airbench, arXiv:2404.00498). Which half
    goes first is a hash of sample and seed: nothing is drawn, so a resumed run goes on as it began.

    Args:
        x: images (B, C, H, W), any dtype.
        index: position of each image in the training set, int64 (B,).
        epoch: from 0.
        seed: of the choice.

    Returns:
        Images of the same shape and dtype.

    Raises:
        OptionError: ``x`` is not a batch of images.
    """
    _check_images(x)
    # 32-bit integers in 64 bits, so that no product overflows; the constants are those of common integer hashes.
    h = (index.to(x.device) * 2_654_435_761 + seed * 40_503) % 2**32
    for _ in range(2):
        h = (h ^ (h >> 16)) * 0x45D9F3B % 2**32
    flipped = ((h >> 16) + epoch) % 2 == 1
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

    ``crop`` pads by an eighth of the shorter side unless told otherwise, ``cutout`` removes a square of a quarter of it
    (both at least one pixel), ``flip`` mirrors left to right, ``alternating_flip`` in every second epoch.
    """

    def __init__(self, steps: tuple[str, ...], crop_padding: int = 0, seed: int = 0) -> None:
        """Choose the steps.

        Args:
            steps: names from :data:`ffzoo.data.options.AUGMENTATIONS`; empty changes nothing.
            crop_padding: pixels that ``crop`` adds on every side; 0 for an eighth of the shorter side.
            seed: of ``alternating_flip``.

        Raises:
            OptionError: a name is unknown.
        """
        self.steps = check_augment(steps)
        self.crop_padding, self.seed = crop_padding, seed

    def __call__(self, x: Tensor, generator: torch.Generator, index: Tensor | None = None, epoch: int = 0) -> Tensor:
        """Augment one batch.

        Args:
            x: images (B, C, H, W), uint8 or float.
            generator: source of the draws.
            index: position of each image in the training set (B,); only ``alternating_flip`` needs it.
            epoch: from 0.

        Returns:
            Images of the same shape and dtype.

        Raises:
            OptionError: there are steps and ``x`` is not a batch of images, or an index is missing.
        """
        for step in self.steps:
            _check_images(x)
            side = min(x.shape[2:])
            if step == "crop":
                x = random_crop(x, self.crop_padding or max(1, side // 8), generator)
            elif step == "flip":
                x = random_flip(x, generator)
            elif step == "alternating_flip":
                if index is None:
                    raise OptionError("augmentation 'alternating_flip' needs the samples' index, got none")
                x = alternating_flip(x, index, epoch, self.seed)
            else:
                x = cutout(x, max(1, side // 4), generator)
        return x
