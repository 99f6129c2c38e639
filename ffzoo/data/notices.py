"""What looks wrong in data that can be trained on."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ffzoo.data.folders import FolderImages
from ffzoo.data.options import DataOptions

_LARGE = 10.0  # floats of data that somebody scaled rarely reach it
_SMALL = 0.05  # pixels that were divided by 255 twice reach 0.004
_PLAIN = 0.01  # share of images of one colour from which something is wrong


def notices(
    samples: Tensor | FolderImages, plain: tuple[int, int], per_class: Mapping[str, int], options: DataOptions
) -> list[str]:
    """Return what looks wrong in a training set, in sentences.

    Args:
        samples: as they are stored.
        plain: how many images are of one colour, and of how many that was counted.
        per_class: samples of each class.
        options: ``outputs`` asks for classes without samples.
    """
    found = []
    if isinstance(samples, Tensor) and samples.is_floating_point():
        found += _range(samples)
    if isinstance(samples, Tensor) and samples.ndim == 2 and len(samples) > 1 and bool((samples == samples[0]).all()):
        found.append("all training samples are the same")
    if plain[0] and plain[0] >= _PLAIN * plain[1]:
        found.append(f"{plain[0]:,} of {plain[1]:,} training images are of one colour")
    empty = [kind for kind, count in per_class.items() if not count]
    if empty and options.outputs is None:
        found.append(f"no training sample is of class {', '.join(empty[:5])}")
    return found


def of_one_colour(images: Tensor) -> int:
    """Return how many of the images (N, C, H, W) are."""
    flat = images.flatten(2)
    return int((flat.amax(2) == flat.amin(2)).all(1).sum())


def _range(values: Tensor) -> list[str]:
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high))
    remedy = "save pixels as uint8, or divide them by 255" if values.ndim == 4 else "standardize the features"
    if largest > _LARGE:
        return [f"floats are used as they are, and these reach from {low:g} to {high:g}: {remedy}"]
    if 0 < largest < _SMALL:
        return [f"floats are used as they are, and these reach only from {low:g} to {high:g}: multiply them"]
    return []
