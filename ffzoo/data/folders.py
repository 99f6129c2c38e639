"""Images that stay in their files until they are asked for."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ffzoo.errors import DataError

DEFAULT_SIDE = 224
WIDE = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
"""Modes of Pillow with more than 8 bits; its own conversion clips them, which leaves an image white."""
GREY = WIDE | {"1", "L", "LA", "La"}
"""Modes of Pillow without colour."""
READ = GREY | {"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"}
"""Modes of Pillow that are read."""

_THREADS_FROM = 64  # images in a pass from which threads pay
_AHEAD = 128  # images that are decoded before they are asked for


def square(images: Tensor, side: int, oblong: str = "crop") -> Tensor:
    """Make images squares.

    Args:
        images: (..., C, H, W), uint8 or float.
        side: pixels.
        oblong: ``crop`` scales the shorter side to ``side`` and cuts the centre square, ``squeeze`` scales both sides,
            ``pad`` scales the longer side and fills the rest with black. All are bilinear and antialiased.

    Returns:
        (..., C, side, side), same dtype.
    """
    from torchvision.transforms.v2 import functional

    height, width = images.shape[-2:]
    if (height, width) == (side, side):
        return images
    out: Tensor
    if oblong == "squeeze":
        out = functional.resize(images, [side, side], antialias=True)
    elif oblong == "pad":
        scale = side / max(height, width)
        inner = [max(1, round(height * scale)), max(1, round(width * scale))]
        top, left = (side - inner[0]) // 2, (side - inner[1]) // 2
        border = [left, top, side - inner[1] - left, side - inner[0] - top]
        out = functional.pad(functional.resize(images, inner, antialias=True), border)
    else:
        out = functional.center_crop(functional.resize(images, [side], antialias=True), [side, side])
    return out


@dataclass(frozen=True)
class Reading:
    """How image files become tensors.

    Attributes:
        side: of the squares, in pixels.
        channels: 3 for colour, 1 for grey.
        oblong: see :func:`square`.
        white: the value that becomes 255 in images of more than 8 bits.
    """

    side: int = DEFAULT_SIDE
    channels: int = 3
    oblong: str = "crop"
    white: float = 65535.0


def upright(image: Any) -> Any:
    """Return a Pillow image turned as its EXIF orientation says; broken EXIF data say nothing."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def eight_bits(image: Any, channels: int, white: float) -> Any:
    """Return a Pillow image in mode ``RGB`` or ``L``.

    Args:
        image: of one of the modes in :data:`READ`. What is transparent becomes white.
        channels: 3 or 1.
        white: the value that becomes 255 where there are more than 8 bits.
    """
    from PIL import Image

    if image.mode in WIDE:
        scaled = np.asarray(image).astype(np.float64) * (255 / white)
        image = Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8))
    elif image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        if image.mode in ("La", "PA"):  # Pillow converts these to their twins alone
            image = image.convert("LA" if image.mode == "La" else "RGBA")
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB" if channels == 3 else "L")


class FolderImages(Dataset[Tensor]):
    """Image files as a map-style data set of uint8 (C, side, side) tensors, decoded on access."""

    def __init__(self, root: Path, files: Sequence[str], reading: Reading | None = None) -> None:
        """Name the files; none is opened.

        Args:
            root: folder the file names are relative to.
            files: one name an image.
            reading: how they become tensors; None lets the files themselves decide.
        """
        self.root = root
        self.files = tuple(files)
        self.chosen = reading

    @property
    def reading(self) -> Reading:
        """How the files become tensors."""
        return self.chosen or Reading()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image, (C, side, side)."""
        return self.reading.channels, self.reading.side, self.reading.side

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        """Decode one image.

        Returns:
            uint8 (C, side, side).

        Raises:
            DataError: the file cannot be read as an image.
        """
        from PIL import Image
        from torchvision.transforms.v2 import functional

        path, reading = self.root / self.files[index], self.reading
        try:
            with Image.open(path) as image:
                pixels = functional.pil_to_tensor(eight_bits(upright(image), reading.channels, reading.white))
        except Exception as error:  # Pillow's decoders raise a different type for every format
            raise DataError(f"{path} is not a readable image ({error}): delete or replace it") from error
        return square(pixels, reading.side, reading.oblong)

    def subset(self, index: Sequence[int]) -> FolderImages:
        """Return the images at ``index``, in that order."""
        return FolderImages(self.root, [self.files[i] for i in index], self.chosen)

    def read_as(self, reading: Reading) -> FolderImages:
        """Return the same files, read in another way."""
        return FolderImages(self.root, self.files, reading)

    def resized(self, side: int) -> FolderImages:
        """Return the same files read at another side."""
        return self.read_as(replace(self.reading, side=side))

    @property
    def decoded_bytes(self) -> int:
        """Bytes all images take once decoded."""
        return len(self) * self.reading.channels * self.reading.side**2

    def batches(self, order: Sequence[Tensor], workers: int) -> Iterator[Tensor]:
        """Decode batches, some images ahead of what is asked for.

        Threads do it: Pillow and torch let go of the interpreter while they work. Processes would need shared memory,
        of which a container has little, and a main module that can be imported again.

        Args:
            order: the indices of each batch.
            workers: threads; 0 decodes in the caller's.

        Yields:
            uint8 (B, C, side, side).

        Raises:
            DataError: a file cannot be read as an image.
        """
        index = [number for batch in order for number in batch.tolist()]
        sizes = [len(batch) for batch in order]
        if not workers or len(index) < _THREADS_FROM:
            numbers = iter(index)
            for size in sizes:
                yield torch.stack([self[next(numbers)] for _ in range(size)])
            return
        pool = ThreadPoolExecutor(workers, thread_name_prefix="ffzoo-images")
        try:
            waiting: deque[Future[Tensor]] = deque(pool.submit(self.__getitem__, n) for n in index[:_AHEAD])
            rest = iter(index[_AHEAD:])
            for size in sizes:
                images = []
                for _ in range(size):
                    images.append(waiting.popleft().result())
                    waiting.extend(pool.submit(self.__getitem__, n) for n in [next(rest, None)] if n is not None)
                yield torch.stack(images)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def quiet_about_size() -> warnings.catch_warnings[None]:
    """Return a context in which Pillow does not warn of large images, whose files it does not name."""
    from PIL import Image

    context: warnings.catch_warnings[None] = warnings.catch_warnings(
        action="ignore", category=Image.DecompressionBombWarning
    )
    return context
