"""Images that stay in their files until they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ffzoo.errors import DataError

DEFAULT_SIDE = 224
_HEADERS = 64  # images whose size is read to see whether a folder has one common size


def square(images: Tensor, side: int) -> Tensor:
    """Scale the shorter side to ``side`` (bilinear, antialiased), then cut the centre square.

    Args:
        images: (..., C, H, W), uint8 or float.
        side: pixels.

    Returns:
        (..., C, side, side), same dtype.
    """
    from torchvision.transforms.v2 import functional

    if images.shape[-2:] == (side, side):
        return images
    out: Tensor = functional.center_crop(functional.resize(images, [side], antialias=True), [side, side])
    return out


class FolderImages(Dataset[Tensor]):
    """Image files as a map-style data set of uint8 (3, side, side) tensors, decoded on access."""

    def __init__(self, root: Path, files: Sequence[str], side: int) -> None:
        """Name the files; none is opened.

        Args:
            root: folder the file names are relative to.
            files: one name an image.
            side: images are scaled and centre-cropped to this square.
        """
        self.root = root
        self.files = tuple(files)
        self.side = side

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        """Decode one image.

        Returns:
            uint8 (3, side, side).

        Raises:
            DataError: the file cannot be read as an image.
        """
        from PIL import Image
        from torchvision.transforms.v2 import functional

        path = self.root / self.files[index]
        try:
            with Image.open(path) as image:
                pixels = functional.pil_to_tensor(image.convert("RGB"))
        except Exception as error:  # Pillow's decoders raise a different type for every format
            raise DataError(f"{path} is not a readable image ({error}): delete or replace it") from error
        return square(pixels, self.side)

    def subset(self, index: Sequence[int]) -> FolderImages:
        """Return the images at ``index``, in that order."""
        return FolderImages(self.root, [self.files[i] for i in index], self.side)

    def resized(self, side: int) -> FolderImages:
        """Return the same files read at another side."""
        return FolderImages(self.root, self.files, side)

    @property
    def decoded_bytes(self) -> int:
        """Bytes all images take once decoded."""
        return len(self) * 3 * self.side**2


def common_side(root: Path, files: Sequence[str]) -> int:
    """Return the side to read a folder at when nobody chose one.

    Only the headers of some evenly spaced images are read, because a large folder has too many.

    Args:
        root: folder the file names are relative to.
        files: one name an image, at least one.

    Returns:
        The side all those images share when they are squares of one size, otherwise 224.

    Raises:
        DataError: a file cannot be read as an image.
    """
    from PIL import Image

    sizes = set()
    for i in torch.linspace(0, len(files) - 1, min(_HEADERS, len(files))).long().tolist():
        path = root / files[i]
        try:
            with Image.open(path) as image:
                sizes.add(image.size)
        except OSError as error:
            raise DataError(f"{path} is not a readable image ({error}): delete or replace it") from error
    width, height = sizes.pop()
    return width if not sizes and width == height else DEFAULT_SIDE
