"""NumPy archives: a user's own, and those that named sets are packed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ffzoo.data.bundle import Loader, RawData
from ffzoo.errors import DataError, one_line


def npz(path: str) -> Loader:
    """Return a NumPy archive with x_train, y_train, x_test and y_test.

    Images are uint8 (N, H, W, C) or (N, H, W); features float (N, D); float images are taken too. Labels
    are integers (N,) or (N, 1).

    Args:
        path: the file.

    Returns:
        Its loader; it raises DataError when the file is missing, corrupt or lacks an array.
    """

    def load(root: Path, download: bool) -> RawData:
        file = Path(path).expanduser()
        if not file.is_file():
            raise DataError(f"file {file} does not exist: expected a NumPy archive (.npz)")
        return read_npz(file)

    return load


def read_npz(file: Path, coarse: bool = False) -> RawData:
    """Return the arrays of an archive, checked; ``coarse`` reads the superclasses of CIFAR-100.

    Raises:
        DataError: corrupt, an array is missing, or one has a type or a shape that is none of images or features.
    """
    labels = ["y_train_coarse", "y_test_coarse"] if coarse else ["y_train", "y_test"]
    wanted = ["x_train", labels[0], "x_test", labels[1]]
    names_key = "coarse_names" if coarse else "fine_names"
    # NumPy and zipfile raise many types on broken bytes.
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in [*wanted, names_key] if key in archive.files}
            present = archive.files
    except Exception as error:
        # NumPy's own words recommend to unpickle it.
        cause = "no archive of plain arrays" if "pickle" in str(error) else one_line(error)
        raise DataError(f"{file} is corrupt ({cause}): delete it and make or download it again") from error
    lacking = [key for key in wanted if key not in arrays]
    if lacking:
        raise DataError(f"{file} has no {', '.join(lacking)}: expected {', '.join(wanted)}, found {present}")
    x_train, y_train, x_test, y_test = (arrays[key] for key in wanted)
    images = []
    for key, array in (("x_train", x_train), ("x_test", x_test)):
        if array.dtype != np.uint8 and array.dtype.kind != "f":
            raise DataError(f"{file}: {key} is {array.dtype}, expected uint8 or float")
        if array.ndim == 4 and array.shape[3] > 4 >= array.shape[1]:
            raise DataError(f"{file}: {key} has shape {array.shape}, expected channels last (N, H, W, C)")
        images.append(image_tensor(array))
    names = tuple(str(name) for name in arrays.get(names_key, ()))
    return RawData(images[0], y_train, images[1], y_test, names)


def image_tensor(array: np.ndarray[Any, Any]) -> Tensor:
    """Channels first, one channel for (N, H, W); every other shape is left to the checks that follow."""
    if array.dtype.kind == "f":
        array = array.astype(np.float32)  # half and extended precision included
    if array.ndim == 3:
        array = array[..., None]
    return nchw(array) if array.ndim == 4 else torch.from_numpy(array)


def nchw(images: np.ndarray[Any, Any]) -> Tensor:
    """uint8 or float (N, H, W, C) -> contiguous (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
