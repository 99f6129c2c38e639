"""The checked, split and sized form of a data set that a run trains on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ffzoo.data.folders import FolderImages, square
from ffzoo.data.options import DataOptions
from ffzoo.data.relabel import keep_classes, merge_classes
from ffzoo.errors import DataError, OptionError

MEMORY_LIMIT = 2 * 2**30
"""Bytes up to which an image folder is decoded into memory once."""

_WORKERS_FROM = 1024  # images in a pass from which starting worker processes pays
_CHUNK = 512  # images handled at once where a whole set would need a large temporary
_STATISTICS_IMAGES = 2048  # images of a lazy folder that its mean and std are estimated from


@dataclass
class RawData:
    """What a loader returns: a data set as it is stored, not yet checked.

    Attributes:
        train_images: uint8 (N, C, H, W), float (N, D) or (N, C, H, W), or image files.
        train_labels: integers (N,) or (N, 1), from 0 to the number of classes - 1.
        test_images: like ``train_images``; ``None`` if the set has no test set, and one is then split off.
        test_labels: like ``train_labels``, ``None`` together with ``test_images``.
        class_names: one name a class; empty if unknown, and the classes are then those in the labels.
        superclasses: of every class, the number of its superclass; empty where there are none.
        superclass_names: one a superclass.
        validation_images: like ``train_images``; ``None`` if validation samples are held out of the training set.
        validation_labels: like ``train_labels``, ``None`` together with ``validation_images``.
    """

    train_images: Tensor | FolderImages
    train_labels: Tensor | np.ndarray[Any, Any]
    test_images: Tensor | FolderImages | None = None
    test_labels: Tensor | np.ndarray[Any, Any] | None = None
    class_names: tuple[str, ...] = ()
    superclasses: tuple[int, ...] = ()
    superclass_names: tuple[str, ...] = ()
    validation_images: Tensor | FolderImages | None = None
    validation_labels: Tensor | np.ndarray[Any, Any] | None = None


Loader = Callable[[Path, bool], RawData]
"""Reads one data set: (folder data sets are kept in, whether it may download) -> RawData."""


class _Batches(Dataset[Tensor | DataError]):
    """Whole batches of image files as items.

    A worker's exception reaches the main process with its traceback as text, so a broken file is handed
    over as a value and raised there.
    """

    def __init__(self, images: FolderImages, order: Sequence[Tensor]) -> None:
        self.images = images
        self.order = [index.tolist() for index in order]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, item: int) -> Tensor | DataError:
        try:
            return torch.stack([self.images[i] for i in self.order[item]])
        except DataError as error:
            return error


@dataclass(eq=False)
class Split:
    """One part of a data set: images and labels, in memory or read from files on demand.

    Attributes:
        images: uint8 (N, C, H, W), float32 (N, D) or (N, C, H, W), or image files.
        labels: int64 (N,).
        steps: batches per epoch of what brings batches of its own; 0 where they are made here.
    """

    images: Tensor | FolderImages
    labels: Tensor
    steps: int = 0

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.labels)

    @property
    def in_memory(self) -> bool:
        """Whether the images are a tensor."""
        return isinstance(self.images, Tensor)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, (C, H, W) or (D,)."""
        return _shape(self.images)

    @property
    def pixels(self) -> bool:
        """Whether the images are uint8 pixels, not floating-point features."""
        return not (isinstance(self.images, Tensor) and self.images.is_floating_point())

    @property
    def nbytes(self) -> int:
        """Bytes held in memory: images and labels, or the labels alone when the images are in files."""
        images = self.images.nbytes if isinstance(self.images, Tensor) else 0
        return images + self.labels.nbytes

    def subset(self, index: Tensor) -> Split:
        """Return the samples at ``index`` (int64 (M,)), in that order."""
        if isinstance(self.images, Tensor):
            return Split(self.images[index.to(self.images.device)], self.labels[index.to(self.labels.device)])
        return Split(self.images.subset(index.tolist()), self.labels[index.to(self.labels.device)])

    def to(self, device: torch.device | str) -> Split:
        """Return a split whose in-memory tensors, and every batch, are on ``device``."""
        images = self.images.to(device) if isinstance(self.images, Tensor) else self.images
        return Split(images, self.labels.to(device))

    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Go through the given batches.

        Args:
            order: one int64 tensor of sample indices a batch.

        Yields:
            Images (B, ...) in the dtype they are stored in, labels int64 (B,) and sample indices int64
            (B,), on the split's device.

        Raises:
            DataError: an image file cannot be read.
        """
        device = self.labels.device
        if isinstance(self.images, Tensor):
            for index in order:
                index = index.to(device)
                yield self.images[index], self.labels[index], index
            return
        for index, images in zip(order, _read(self.images, order, pin=device.type == "cuda"), strict=True):
            index = index.to(device)
            yield images.to(device, non_blocking=True), self.labels[index], index


def _read(images: FolderImages, order: Sequence[Tensor], pin: bool = False) -> Iterator[Tensor]:
    """Return decoded batches uint8 (B, 3, side, side), by worker processes when there are many images."""
    large = sum(len(index) for index in order) >= _WORKERS_FROM
    loader = DataLoader(
        _Batches(images, order),
        batch_size=None,
        num_workers=min(4, os.cpu_count() or 1) if large else 0,
        pin_memory=pin,
        # Without its own generator a loader draws from torch's global one: reading files from disk
        # would then change the random numbers of the training.
        generator=torch.Generator(),
    )
    for batch in loader:
        if isinstance(batch, DataError):
            raise batch
        yield batch


@dataclass
class DataBundle:
    """A data set ready for a run.

    Attributes:
        name: the data set's name.
        train: what is trained on.
        validation: held out of the training set; ``None`` if nothing is.
        test: read once, at the end.
        num_classes: number of classes.
        shape: of one sample, (C, H, W) or (D,).
        mean: per channel of the training set, pixels in [0, 1]; 0 for float data.
        std: like ``mean``; 1 for float data.
        class_names: one name a class.
        sha256: of the images and labels of all parts; for images left in files, of their names, sizes and
            labels.
        split: how the parts were made, in one line.
    """

    name: str
    train: Split
    validation: Split | None
    test: Split
    num_classes: int
    shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]
    sha256: str
    split: str

    def to(self, device: torch.device | str) -> DataBundle:
        """Return the same data with every part on ``device``."""
        validation = None if self.validation is None else self.validation.to(device)
        return replace(self, train=self.train.to(device), validation=validation, test=self.test.to(device))


class Preprocess(nn.Module):
    """Normalise pixels per channel: ``(x / 255 - mean) / std``."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Keep the statistics as buffers of shape (C, 1, 1).

        Args:
            mean: per channel, pixels in [0, 1].
            std: like ``mean``.
        """
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).reshape(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise one batch.

        Args:
            x: uint8 (B, C, H, W), or float of any shape, which is returned as it is.

        Returns:
            float32 of the same shape.
        """
        if x.is_floating_point():
            return x
        return (x.to(torch.float32) / 255 - self.mean) / self.std


def load_data(
    name: str, loader: Loader, options: DataOptions, root: Path, download: bool = True, hold_out: bool = True
) -> DataBundle:
    """Read a data set, check it and cut it into parts.

    A set without a test set gets one of 20 %, stratified, with seed 0 whatever the options say, so that
    every run of that set is tested on the same samples.

    Args:
        name: the data set's name, for messages and results.
        loader: reads it; bound to its own options already.
        options: splits, subsets and size.
        root: folder data sets are kept in.
        download: whether the loader may download.
        hold_out: split a test set off where there is none; without it that part stays empty.

    Returns:
        The parts with their statistics.

    Raises:
        DataError: the set is missing, corrupt or empty, its images or labels cannot be trained on, or a
            class has too few samples to be split.
        OptionError: a subset is larger than its part, or ``resize``, ``test_flip`` or ``test_shift`` is set for data
            that are not images.
    """
    raw = loader(root.expanduser(), download)
    train, test, class_names = _check(name, raw)
    relabelled: list[str] = []
    train, test, class_names = keep_classes(name, train, test, class_names, options, relabelled)
    words = ["test part as published"]
    if test is None and not hold_out:
        test, words = train.subset(torch.arange(0)), ["no test part"]
    elif test is None:
        train, test = divide(name, train, 0.2, seed=0)
        words = ["test 20 %, stratified, seed 0"]
    validation = None
    if raw.validation_images is not None and raw.validation_labels is not None:
        validation = check_part(f"{name}, validation part", raw.validation_images, raw.validation_labels)
        words.append("validation part as given")
    elif options.validation:
        train, validation = divide(name, train, options.validation, options.split_seed)
        words.append(f"validation {100 * options.validation:g} % of the training part, ")
        words[-1] += f"stratified, seed {options.split_seed}"
    if options.test == "validation" and validation is not None:
        test = replace(validation)  # an object of its own: parts are resized one by one
        words[0] = "the validation part in the test part's place"
    train = _shrink(name, "train_size", train, options, words)
    test = _shrink(name, "test_size", test, options, words)

    parts = [part for part in (train, validation, test) if part is not None]
    class_names = merge_classes(name, parts, class_names, raw, options, relabelled)
    if options.resize is not None:
        for part in parts:
            _resize(name, part, options.resize)
    files = [part.images for part in parts if isinstance(part.images, FolderImages)]
    if sum(images.decoded_bytes for images in files) <= MEMORY_LIMIT:
        for part in parts:
            if isinstance(part.images, FolderImages):
                part.images = _decode(part.images)

    shape = _shape(train.images)
    for option in ("test_flip", "test_shift"):
        if getattr(options, option) and len(shape) != 3:
            raise OptionError(f"data option {option}: {name} has samples of shape {shape}, not images")
    if options.test_shift and options.test_shift >= min(shape[1:]):
        sides = f"{shape[1]}x{shape[2]}"
        raise OptionError(
            f"data option test_shift={options.test_shift}: expected less than the sides of {name}, {sides}"
        )
    mean, std = statistics(train)
    return DataBundle(
        name=name,
        train=train,
        validation=validation,
        test=test,
        num_classes=len(class_names),
        shape=_shape(train.images),
        mean=mean,
        std=std,
        class_names=class_names,
        sha256=_fingerprint(parts),
        split="; ".join(words + relabelled),
    )


def _shape(images: Tensor | FolderImages) -> tuple[int, ...]:
    return tuple(images.shape[1:]) if isinstance(images, Tensor) else (3, images.side, images.side)


def _check(name: str, raw: RawData) -> tuple[Split, Split | None, tuple[str, ...]]:
    """Turn loaded arrays into splits; DataError unless they can be trained on."""
    train = check_part(f"{name}, training part", raw.train_images, raw.train_labels)
    test = None
    if (raw.test_images is None) != (raw.test_labels is None):
        raise DataError(f"{name}: the test part needs both images and labels")
    if raw.test_images is not None and raw.test_labels is not None:
        test = check_part(f"{name}, test part", raw.test_images, raw.test_labels)
        if _shape(train.images) != _shape(test.images):
            shapes = f"{_shape(train.images)} and {_shape(test.images)}"
            raise DataError(f"{name}: training and test samples have different shapes, {shapes}")
    present = np.unique(train.labels.numpy()).tolist()
    if len(present) < 2:
        raise DataError(f"{name}: all training labels are {present[0]}, expected at least two classes")
    if not raw.class_names and len(present) <= present[-1]:
        gap = next(k for k, label in enumerate(present) if k != label)
        raise DataError(f"{name}: labels go up to {present[-1]} but no training sample has label {gap}")
    names = raw.class_names or tuple(str(label) for label in present)
    for part in (train, test):
        if part is not None and int(part.labels.max()) >= len(names):
            largest = int(part.labels.max())
            raise DataError(f"{name}: label {largest} is out of range, expected 0 to {len(names) - 1}")
    return train, test, names


def check_part(what: str, images: Tensor | FolderImages, labels: Tensor | np.ndarray[Any, Any]) -> Split:
    """Return images and labels as a split.

    Raises:
        DataError: they cannot be trained on.
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
        images = _check_images(what, images)
    return Split(images, torch.from_numpy(values.astype(np.int64)))


def _check_images(what: str, images: Tensor) -> Tensor:
    """Return the images as uint8 or float32."""
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


def divide(name: str, split: Split, size: float, seed: int) -> tuple[Split, Split]:
    """Return a stratified (rest, taken); ``size`` is a fraction, or a count if it is an int. Order is kept.

    A class's only sample stays in the rest: it cannot be in both.
    """
    from sklearn.model_selection import train_test_split

    labels = split.labels.numpy()
    alone = np.bincount(labels)[labels] < 2
    shared = np.flatnonzero(~alone)
    try:
        rest, taken = train_test_split(shared, test_size=size, stratify=labels[shared], random_state=seed)
        rest = np.concatenate([rest, np.flatnonzero(alone)])
    except ValueError as error:
        counts = split.labels.bincount()
        counts = counts[counts > 0]
        part = f"{size} samples" if isinstance(size, int) else f"{100 * size:g} %"
        raise DataError(
            f"{name}: cannot split {part} off {len(split)} samples, stratified over {len(counts)} classes"
            f" of which the smallest has {int(counts.min())}: {error}"
        ) from error
    return split.subset(torch.from_numpy(np.sort(rest))), split.subset(torch.from_numpy(np.sort(taken)))


def _shrink(name: str, option: str, split: Split, options: DataOptions, words: list[str]) -> Split:
    """Return the stratified subset that the option ``train_size`` or ``test_size`` asks for; noted in ``words``."""
    size: int | None = getattr(options, option)
    if size is None or size == len(split):
        return split
    if size > len(split):
        raise OptionError(f"data option {option}={size}: {name} has {len(split)} samples in that part")
    words.append(f"{option.removesuffix('_size')} subset of {size}, stratified, seed {options.split_seed}")
    from sklearn.utils import resample

    labels = split.labels.numpy()
    chosen = resample(
        np.arange(len(split)), replace=False, n_samples=size, stratify=labels, random_state=options.split_seed
    )
    return split.subset(torch.from_numpy(np.sort(chosen)))


def _resize(name: str, split: Split, side: int) -> None:
    if isinstance(split.images, FolderImages):
        split.images = split.images.resized(side)
        return
    if split.images.ndim != 4:
        shape = _shape(split.images)
        raise OptionError(f"data option resize={side}: {name} has samples of shape {shape}, not images")
    split.images = torch.cat([square(chunk, side) for chunk in _chunks(split.images)])


def _chunks(x: Tensor) -> Iterator[Tensor]:
    for start in range(0, len(x), _CHUNK):
        yield x[start : start + _CHUNK]


def _decode(images: FolderImages) -> Tensor:
    # Filled in place: torch.cat of the batches would need the memory twice.
    out = torch.empty((len(images), *_shape(images)), dtype=torch.uint8)
    start = 0
    for batch in _read(images, list(_chunks(torch.arange(len(images))))):
        out[start : start + len(batch)] = batch
        start += len(batch)
    return out


def statistics(train: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and std per channel, pixels in [0, 1]; an estimate from evenly spaced images when in files."""
    shape = _shape(train.images)
    if isinstance(train.images, Tensor) and train.images.is_floating_point():
        channels = shape[0] if len(shape) == 3 else 1
        return (0.0,) * channels, (1.0,) * channels
    if isinstance(train.images, Tensor):
        chunks = _chunks(train.images)
    else:
        count = min(_STATISTICS_IMAGES, len(train))
        index = torch.linspace(0, len(train) - 1, count, dtype=torch.float64).long()
        chunks = _read(train.images, list(_chunks(index)))
    values = torch.arange(256, dtype=torch.float64) / 255
    # Counting the 256 values is exact and needs no float copy of the images.
    counts = torch.zeros(shape[0], 256, dtype=torch.int64)
    for chunk in chunks:
        counts += torch.stack([chunk[:, c].flatten().bincount(minlength=256) for c in range(shape[0])])
    weights = counts / counts.sum(1, keepdim=True)
    mean = (weights * values).sum(1)
    variance = (weights * (values - mean[:, None]) ** 2).sum(1)
    # One grey level at least: a constant channel must not divide by zero.
    std = variance.sqrt().clamp(min=1 / 255)
    return tuple(mean.tolist()), tuple(std.tolist())


def _fingerprint(parts: Sequence[Split]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part.images, Tensor):
            digest.update(f"{part.images.dtype} {tuple(part.images.shape)}\n".encode())
            digest.update(part.images.contiguous().numpy().data)
            digest.update(part.labels.numpy().data)
        else:
            root, files = part.images.root, part.images.files
            lines = [
                f"{file}\t{(root / file).stat().st_size}\t{label}\n"
                for file, label in sorted(zip(files, part.labels.tolist(), strict=True))
            ]
            digest.update("".join(lines).encode())
    return digest.hexdigest()
