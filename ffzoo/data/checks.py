"""Whether samples and labels can be trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ffzoo.data.folders import FolderImages
from ffzoo.errors import DataError, OptionError


def checked(
    what: str, images: Tensor | FolderImages, labels: Tensor | np.ndarray[Any, Any]
) -> tuple[Tensor | FolderImages, Tensor]:
    """Return the samples of one part and its labels int64 (N,).

    Args:
        what: names the part in messages.
        images: as in :class:`~ffzoo.data.bundle.RawData`.
        labels: integers (N,) or (N, 1).

    Raises:
        DataError: there are none, or they cannot be trained on.
    """
    values = labels.numpy() if isinstance(labels, Tensor) else labels
    if values.dtype.kind not in "iu":
        raise DataError(f"{what}: labels are {values.dtype}, expected integers")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"{what}: labels have shape {values.shape}, expected (N,)")
    if len(images) != len(values):
        raise DataError(f"{what}: {len(images)} images but {len(values)} labels")
    if len(values) == 0:
        raise DataError(f"{what}: there are no samples")
    if values.min() < 0:
        raise DataError(f"{what}: label {values.min()} is negative, expected 0 or more")
    if isinstance(images, Tensor):
        images = _check_samples(what, images)
    return images, torch.from_numpy(values.astype(np.int64))


def _check_samples(what: str, images: Tensor) -> Tensor:
    """Return the samples as uint8 or float32."""
    dims = (4,) if images.dtype == torch.uint8 else (2, 4)
    if not (images.dtype == torch.uint8 or images.is_floating_point()) or images.ndim not in dims:
        got = f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        wanted = "uint8 (N, C, H, W), float (N, D) or float (N, C, H, W)"
        raise DataError(f"{what}: samples are {got}, expected {wanted}")
    if images.is_floating_point():
        images = images.to(torch.float32)
        broken = ~images.flatten(1).isfinite().all(1)
        if broken.any():
            count, first = int(broken.sum()), int(broken.nonzero()[0])
            raise DataError(f"{what}: {count} samples hold NaN or infinite values, the first is {first}")
    return images


def with_channels(name: str, images: Tensor, channels: int) -> Tensor:
    """Return images (N, 1 or 3, H, W) in grey or in colour.

    Raises:
        OptionError: they have another number of channels.
    """
    from torchvision.transforms.v2 import functional

    has = images.shape[1]
    if has == channels:
        return images
    if has not in (1, 3):
        raise OptionError(f"data option channels={channels}: {name} has images of {has} channels, expected 1 or 3")
    if channels == 3:
        return images.expand(-1, 3, -1, -1).contiguous()
    grey: Tensor = functional.rgb_to_grayscale(images)
    return grey
