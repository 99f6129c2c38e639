"""Small data sets that the tests of the data share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ffzoo.data.bundle import DataBundle, RawData, load_data
from ffzoo.data.options import DataOptions

EVERYTHING = DataOptions(validation=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def toy(n: int = 60, classes: int = 3, **changes: Any) -> RawData:
    """Random uint8 images (n, 3, 8, 8) for both parts, labels in turn."""
    images = torch.randint(256, (n, 3, 8, 8), generator=generator(), dtype=torch.uint8)
    labels = np.arange(n) % classes
    raw = RawData(images, labels, images.clone(), labels.copy())
    for key, value in changes.items():
        setattr(raw, key, value)
    return raw


def load(raw: RawData, options: DataOptions = EVERYTHING) -> DataBundle:
    return load_data("toy", lambda root, download: raw, options, Path())


def write_images(folder: Path, count: int, size: tuple[int, int] = (8, 8), seed: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for i in range(count):
        pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def write_npz(path: Path, **changes: Any) -> Path:
    arrays: dict[str, Any] = {
        "x_train": np.arange(6 * 4 * 4 * 3, dtype=np.uint8).reshape(6, 4, 4, 3),
        "y_train": np.array([0, 1, 0, 1, 0, 1]),
        "x_test": np.zeros((2, 4, 4, 3), dtype=np.uint8),
        "y_test": np.array([0, 1]),
    }
    arrays |= changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path
