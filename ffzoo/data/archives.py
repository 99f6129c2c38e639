"""NumPy archives: a user's own, and those that named sets are packed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ffzoo.data.archive_names import place_of
from ffzoo.data.bundle import Loader, RawData
from ffzoo.data.labels import read_labels
from ffzoo.errors import DataError, one_line

_CLASS_NAMES = ("fine_names", "class_names", "classes", "label_names", "target_names")


def npz(path: str) -> Loader:
    """Return a NumPy archive with x_train and y_train, and x_val, y_val, x_test and y_test where there are such sets.

    Images are uint8 (N, H, W, C) or (N, H, W); features (N, D), of any type; float images are taken too. Labels may be
    integers, text, truth values or one-hot rows. Names that are written otherwise, such as ``train_images`` and
    ``X_valid``, are known too.

    Args:
        path: the file.

    Returns:
        Its loader; it raises DataError when the file is missing, corrupt or lacks an array.
    """

    def load(root: Path, download: bool) -> RawData:
        file = Path(path).expanduser()
        if file.is_dir():
            raise DataError(f"{file} is a folder: expected a NumPy archive (.npz), or folder:{path}")
        if not file.is_file():
            raise DataError(f"file {file} does not exist: expected a NumPy archive (.npz)")
        return read_npz(file)

    return load


def read_npz(file: Path, coarse: bool = False) -> RawData:
    """Return the arrays of an archive, checked; ``coarse`` reads the superclasses of CIFAR-100.

    Raises:
        DataError: corrupt, an array is missing, or one has a type or a shape that is none of images or features.
    """
    arrays = _read(file)
    coarse_only = {key: arrays.pop(key) for key in list(arrays) if key.endswith("_coarse") or key == "coarse_names"}
    if coarse:
        arrays = {key: value for key, value in arrays.items() if not key.startswith("y_") and key not in _CLASS_NAMES}
        arrays |= {key.removesuffix("_coarse"): value for key, value in coarse_only.items() if key != "coarse_names"}
        arrays |= {"class_names": coarse_only["coarse_names"]} if "coarse_names" in coarse_only else {}
    names_key = next((key for key in _CLASS_NAMES if key in arrays), "")
    names = tuple(map(str, arrays.pop(names_key))) if names_key else ()
    samples, labels, unread = _sorted_out(file, arrays)
    given = {key: array for key, array in labels.values()}
    try:
        numbered, names, notes = read_labels(given, names)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    if unread:
        notes.append(f"not read: the arrays {', '.join(unread)} of {file.name}")
    # What is left for load_data is a part, or a set without one.
    read: dict[str, Any] = {f"{kind}_images": _samples(file, *samples[kind]) for kind in samples}
    read |= {f"{kind}_labels": numbered[labels[kind][0]] for kind in labels}
    return RawData(**read, class_names=names, notes=tuple(notes))


def _read(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    # NumPy and zipfile raise many types on broken bytes.
    key = ""
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {}
            for key in archive.files:
                if not key.rpartition("/")[2].startswith("."):
                    arrays[key] = archive[key]
            return arrays
    except Exception as error:
        # NumPy's own words recommend to unpickle it.
        if key and "pickle" in str(error):
            raise DataError(
                f"{file} is corrupt (no archive of plain arrays: {key} holds Python objects): save text as "
                f"{key}.astype(str), and numbers in an array of one type"
            ) from error
        cause = "no archive of plain arrays" if "pickle" in str(error) else one_line(error)
        raise DataError(f"{file} is corrupt ({cause}): delete it and make or download it again") from error


Named = tuple[str, np.ndarray[Any, Any]]


def _sorted_out(
    file: Path, arrays: dict[str, np.ndarray[Any, Any]]
) -> tuple[dict[str, Named], dict[str, Named], list[str]]:
    """Return samples and labels by set, each with the name of its array, and the names of what is none of them.

    Raises:
        DataError: an array is missing, or two are the same by their names.
    """
    samples: dict[str, Named] = {}
    labels: dict[str, Named] = {}
    unread = []
    for key, array in arrays.items():
        found = place_of(key)
        if found is None:
            unread.append(key)
            continue
        place = samples if found[0] == "samples" else labels
        if found[1] in place:
            raise DataError(f"{file}: {place[found[1]][0]} and {key} are the same by their names; expected one of them")
        place[found[1]] = (key, array)
    lacking = [key for key, place in (("x_train", samples), ("y_train", labels)) if "train" not in place]
    for kind, short in (("validation", "val"), ("test", "test")):
        if (kind in samples) != (kind in labels):
            lacking.append(f"{'y' if kind in samples else 'x'}_{short}")
    if lacking:
        why = ""
        if "y_train" in lacking:
            why = "; a rule that learns without labels needs them too, for the probe that measures it"
        expected = "x_train, y_train, x_test, y_test"
        raise DataError(f"{file} has no {', '.join(lacking)}: expected {expected}, found {list(arrays)}{why}")
    return samples, {kind: labels[kind] for kind in ("train", "validation", "test") if kind in labels}, unread


def _samples(file: Path, key: str, array: np.ndarray[Any, Any]) -> Tensor:
    """Return images or features as they are stored, features as floats.

    Raises:
        DataError: images of a type that is not read; the message says how to make one that is.
    """
    if array.ndim == 2 and array.dtype.kind in "biu":
        return torch.from_numpy(array.astype(np.float32))
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        remedy = f": save {key}.astype('uint8')"
        if array.dtype.kind == "b":
            remedy = f": save {key}.astype('uint8') * 255"
        elif array.dtype.kind in "iu" and array.size and (array.min() < 0 or array.max() > 255):
            remedy = f" and reaches from {array.min()} to {array.max()}: scale it to 0 to 255 and save it as uint8"
        raise DataError(f"{file}: {key} is {array.dtype}, expected uint8 or float{remedy}")
    if array.ndim == 4 and array.shape[3] > 4 >= array.shape[1]:
        raise DataError(
            f"{file}: {key} has shape {array.shape}, expected channels last (N, H, W, C): "
            f"save {key}.transpose(0, 2, 3, 1)"
        )
    return image_tensor(array)


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
