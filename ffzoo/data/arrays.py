"""Arrays, tensors and items of the user's as images and labels; whatever was guessed is noted."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ffzoo.errors import DataError

_CHANNELS = (1, 3, 4)
_IMAGE_KEYS = ("image", "img", "images", "pixel_values", "x", "features", "input")
_LABEL_KEYS = ("label", "labels", "target", "y", "class", "fine_label")


def as_images(values: Any, what: str, notes: list[str]) -> Tensor:
    """Return samples as uint8 ``(N, C, H, W)`` or float32 ``(N, D)`` or ``(N, C, H, W)``.

    Args:
        values: an array, a tensor, a data frame or a nested list.
        what: for messages.
        notes: gets a sentence for each choice that was made.

    Raises:
        DataError: values that are no numbers, of no such shape, or whole numbers beyond 0 to 255 in images.
    """
    x = _tensor(values, what, "samples")
    if x.is_complex():
        raise DataError(f"{what}: samples are complex numbers; expected real ones")
    if x.dim() not in (2, 3, 4) or not len(x):
        shapes = "(N, D), (N, H, W), (N, C, H, W) or (N, H, W, C)"
        raise DataError(f"{what}: samples have shape {tuple(x.shape)}; expected {shapes}")
    if x.dim() == 2:
        return x.float()
    if x.dtype != torch.uint8 and not x.is_floating_point():
        low, high = int(x.min()), int(x.max())
        if low < 0 or high > 255:
            raise DataError(f"{what}: pixels go from {low} to {high}; expected uint8 from 0 to 255, or floats")
        x = x.to(torch.uint8)
    x = x.float() if x.is_floating_point() else x
    if x.dim() == 3:
        notes.append(f"(N, {x.shape[1]}, {x.shape[2]}) read as images of one channel")
        return x[:, None]
    if _channels_last(x, what, notes):
        x = x.permute(0, 3, 1, 2).contiguous()
    if x.is_floating_point() and float(x.max()) > 32:
        notes.append(f"floats up to {float(x.max()):g} are taken as they are; uint8 pixels are scaled and normalized")
    return x


def _channels_last(x: Tensor, what: str, notes: list[str]) -> bool:
    """Return whether the channels are the last dimension; says so, and warns where it can only be guessed."""
    first, *_, last = x.shape[1:]
    sizes = "x".join(map(str, x.shape[1:]))
    if (first in _CHANNELS) != (last in _CHANNELS):
        is_last = last in _CHANNELS
    elif first not in _CHANNELS and (first < min(x.shape[2:])) != (last < min(x.shape[1:3])):
        is_last = last < min(x.shape[1:3])
    else:
        warnings.warn(
            f"{what}: samples of {sizes} may have their channels first or last; they are read as (N, C, H, W)",
            stacklevel=2,
        )
        return False
    if is_last:
        notes.append(f"samples of {sizes} read as (N, H, W, C)")
    return is_last


def _tensor(values: Any, what: str, of: str) -> Tensor:
    if isinstance(values, Tensor):
        return values.detach().cpu()
    if hasattr(values, "to_numpy"):  # pandas, polars
        values = values.to_numpy()
    if hasattr(values, "toarray"):
        raise DataError(f"{what}: {of} are a sparse matrix; expected a dense one, such as its toarray()")
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufc":
            raise TypeError(f"{array.dtype}")
        if array.dtype.kind == "u" and array.itemsize > 1:  # torch computes little with these
            array = array.astype(np.int64)
        return torch.from_numpy(np.array(array, order="C"))
    except (TypeError, ValueError) as error:
        kind = type(values).__name__ + (f" of {values.dtype}" if isinstance(values, np.ndarray) else "")
        words = (
            "integers from 0 to the number of classes - 1" if of == "labels" else "numbers, all samples of one shape"
        )
        hint = "; ffzoo.FFClassifier takes labels of any kind" if of == "labels" else ""
        raise DataError(f"{what}: {of} are a {kind}; expected {words}{hint}") from error


def as_labels(values: Any, what: str) -> Tensor:
    """Return labels int64 ``(N,)``; whole floats and rows with a single 1 are understood too.

    Raises:
        DataError: labels of another kind, with what was expected.
    """
    y = _tensor(values, what, "labels")
    if y.dim() == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dim() == 2 and bool(((y == 0) | (y == 1)).all() & (y.sum(1) == 1).all()):
        y = y.argmax(1)
    if y.dim() != 1 or not len(y):
        raise DataError(f"{what}: labels have shape {tuple(y.shape)}; expected (N,)")
    if y.is_floating_point() and not bool((y == y.round()).all()):
        wrong = float(y[(y != y.round()).nonzero()[0, 0]])
        raise DataError(f"{what}: labels hold {wrong:g}; expected integers from 0 to the number of classes - 1")
    return y.to(torch.int64)


def sample(item: Any, what: str) -> tuple[Tensor, int]:
    """Return an item of a data set as image ``(C, H, W)`` or features ``(D,)``, and label.

    Args:
        item: ``(x, y)``, or a dictionary with a usual key for each; x is a tensor, an array or a picture of Pillow.
        what: for messages.

    Raises:
        DataError: an item of another kind.
    """
    x, y = _two(item, what)
    try:
        label = int(y)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: the label is a {type(y).__name__}, {y!r:.40}; expected an integer") from error
    if "PIL" in sys.modules and hasattr(x, "convert"):
        from torchvision.transforms.v2 import functional

        grey = x.mode in ("L", "1")
        return functional.pil_to_tensor(x.convert("L" if grey else "RGB")), label
    if isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim in (2, 3):
        return torch.from_numpy(np.array(x[None] if x.ndim == 2 else x.transpose(2, 0, 1))), label
    image = _tensor(x, what, "values")
    if image.dim() not in (1, 3):
        raise DataError(f"{what}: a sample has shape {tuple(image.shape)}; expected (D,) or (C, H, W)")
    return image if image.dtype == torch.uint8 and image.dim() == 3 else image.float(), label


def pair(batch: Any, what: str) -> tuple[Tensor, Tensor]:
    """Return a batch of a DataLoader as inputs ``(B, ...)`` and labels int64 ``(B,)``.

    Raises:
        DataError: a batch of another kind.
    """
    x, y = _two(batch, what)
    if not isinstance(x, Tensor) or x.dim() not in (2, 4):
        kind = f"tensor {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise DataError(f"{what}: inputs are a {kind}; expected a tensor (B, D) or (B, C, H, W)")
    labels = as_labels(y, what).to(x.device)
    if len(labels) != len(x):
        raise DataError(f"{what}: {len(x)} inputs but {len(labels)} labels")
    return x if x.dtype == torch.uint8 and x.dim() == 4 else x.float(), labels


def _two(item: Any, what: str) -> tuple[Any, Any]:
    """Return input and label of an item or a batch."""
    if isinstance(item, Mapping):
        keys = [next((k for k in known if k in item), None) for known in (_IMAGE_KEYS, _LABEL_KEYS)]
        if None in keys:
            expected = "an input such as 'image' and a label such as 'label'"
            raise DataError(f"{what}: has the keys {', '.join(map(repr, item))}; expected {expected}")
        return item[keys[0]], item[keys[1]]
    if isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2:
        return item[0], item[1]
    size = f" of {len(item)}" if isinstance(item, Sequence) else ""
    raise DataError(f"{what}: is a {type(item).__name__}{size}; expected a pair (x, y)")


def is_hugging_face(data: Any) -> bool:
    """Return whether it is a map-style data set of the package ``datasets``, which is not imported for that."""
    module = sys.modules.get("datasets")
    return module is not None and isinstance(data, getattr(module, "Dataset", ()))
