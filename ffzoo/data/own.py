"""Data of the user's: arrays, tensors, a Dataset, a DataLoader or a Hugging Face data set, checked and split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from ffzoo.data.arrays import as_images, as_labels, is_hugging_face, pair, sample
from ffzoo.data.bundle import DataBundle, RawData, Split, check_part, divide, load_data, statistics
from ffzoo.data.live import LoaderSplit, read_once
from ffzoo.data.options import DataOptions, default_root
from ffzoo.errors import DataError, OptionError, nearest

PARTS = {"train": "train", "validation": "validation", "val": "validation", "valid": "validation", "test": "test"}
"""Keys of a dictionary of parts."""

KINDS = (
    "(x, y) of arrays or tensors, a Dataset, a DataLoader, a Hugging Face data set, or a dictionary of these with the "
    "keys train, validation and test"
)
_IN_MEMORY = ("classes", "groups", "outputs", "train_size", "test_size", "resize")


def own_bundle(name: str, data: Any, options: DataOptions, test: bool = True) -> DataBundle:
    """Return data of the user's, checked and cut into parts.

    Args:
        name: for messages and results.
        data: what :data:`KINDS` says.
        options: splits; for data in memory also subsets and size.
        test: hold a test set out where none is given; without it there is none.

    Raises:
        DataError: data that cannot be understood, trained on or split.
        OptionError: an option that only data in memory have.
    """
    if data is None:
        raise DataError(f"{name} were handed over in Python and are not kept with the run; expected them again")
    notes: list[str] = []
    given = {key: _part(value, f"{name}, {key} part", notes) for key, value in parts(data, name).items()}
    if not test:
        given.pop("test", None)
    if all(isinstance(part, tuple) for part in given.values()):
        bundle = _in_memory(name, given, options, test)
    else:
        bundle = _live(name, given, options, test)
    return replace(bundle, split="; ".join([bundle.split, *dict.fromkeys(notes)]))


def parts(data: Any, name: str = "data") -> dict[str, Any]:
    """Return the parts of data by their names, as they were given; undivided data are all for training.

    Raises:
        DataError: a dictionary without a training part, or with a key that is none.
    """
    if not isinstance(data, Mapping):
        return {"train": data}
    for key in data:
        if key not in PARTS:
            raise DataError(f"{name}: {key!r} is no part; {nearest(str(key), PARTS)}")
    found = {PARTS[key]: value for key, value in data.items()}
    if "train" not in found:
        raise DataError(f"{name}: has the parts {', '.join(map(repr, data)) or 'none'}; expected one called 'train'")
    return found


def batch_size_of(data: Any) -> int | None:
    """Return the samples per batch of a DataLoader; None for data that are batched here."""
    train = parts(data)["train"]
    if not isinstance(train, DataLoader):
        return None
    if train.batch_size is not None:
        return train.batch_size
    return len(pair(next(iter(train)), "a batch")[1])


def labelled_batches(x: Any, y: Any, batch_size: int) -> Iterator[tuple[Any, Tensor]]:
    """Yield images as they were given and labels int64 ``(B,)``.

    Args:
        x: images, or data with labels if ``y`` is None.
        y: labels.
        batch_size: samples read at once of a Dataset.

    Raises:
        DataError: data that cannot be understood, or of two lengths.
    """
    if y is not None:
        labels = as_labels(y, "y")
        if len(x) != len(labels):
            raise DataError(f"there are {len(x)} images but {len(labels)} labels")
        yield x, labels
        return
    part = _part(x, "the data", [])
    if isinstance(part, tuple):
        yield part[0], part[1]
    elif isinstance(part, DataLoader):
        for batch in part:
            yield pair(batch, "a batch of the data")
    else:
        for index in torch.arange(len(part)).split(batch_size):
            read = [sample(part[i], f"item {i} of the data") for i in index.tolist()]
            yield torch.stack([image for image, _ in read]), torch.tensor([label for _, label in read])


def _part(data: Any, what: str, notes: list[str]) -> tuple[Tensor, Tensor, tuple[str, ...]] | DataLoader[Any] | Any:
    """Return arrays as images, labels and names of classes; a DataLoader or a Dataset as it is."""
    if isinstance(data, DataLoader):
        return data
    if isinstance(data, TensorDataset):
        data = data.tensors
    if isinstance(data, tuple | list):
        if len(data) != 2:
            raise DataError(f"{what}: a {type(data).__name__} of {len(data)}; expected (x, y)")
        return as_images(data[0], what, notes), as_labels(data[1], what), ()
    if is_hugging_face(data):
        return data if data.format["type"] == "custom" else _hugging_face(data, what, notes)
    if isinstance(data, Dataset) or (hasattr(data, "__getitem__") and hasattr(data, "__len__") and callable(data)):
        if not hasattr(data, "__len__"):
            raise DataError(f"{what}: {type(data).__name__} has no length; expected a DataLoader of it")
        return data
    raise DataError(f"{what}: cannot read a {type(data).__name__}; expected {KINDS}")


def _hugging_face(data: Any, what: str, notes: list[str]) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    read = [sample(item, f"{what}, row {i}") for i, item in enumerate(data)]
    sizes = sorted({tuple(image.shape) for image, _ in read})
    if len(sizes) != 1:
        raise DataError(
            f"{what}: rows have shapes {sizes[:3]}; expected one, by map() or set_transform() with a resize"
        )
    names = next((f.names for f in data.features.values() if type(f).__name__ == "ClassLabel"), ())
    images = torch.stack([image for image, _ in read])
    return as_images(images, what, notes), torch.tensor([label for _, label in read]), tuple(names)


def _in_memory(name: str, given: Mapping[str, Any], options: DataOptions, test: bool) -> DataBundle:
    none = (None, None, ())
    train, held, tested = (given.get(key, none) for key in ("train", "validation", "test"))
    raw = RawData(train[0], train[1], tested[0], tested[1], train[2])
    raw.validation_images, raw.validation_labels = held[0], held[1]
    return load_data(name, lambda root, download: raw, options, default_root(), hold_out=test)


def _live(name: str, given: Mapping[str, Any], options: DataOptions, test: bool) -> DataBundle:
    """Return data that are read anew in every epoch."""
    for option in _IN_MEMORY:
        if getattr(options, option) is not None:
            raise OptionError(f"data.{option} is for data in memory; {name} is read anew in every epoch")
    found: dict[str, Split] = {}
    for key, part in given.items():
        what = f"{name}, {key} part"
        if isinstance(part, tuple):
            found[key] = check_part(what, part[0], part[1])
        else:
            found[key] = read_once(part, what)
    train, validation, tested = (found.get(key) for key in ("train", "validation", "test"))
    assert train is not None
    words = ["test part as given" if tested is not None else "no test part"]
    for key, wanted in (("test", test and tested is None), ("validation", options.validation and validation is None)):
        if not wanted:
            continue
        if isinstance(train, LoaderSplit):
            if key == "test":
                raise DataError(
                    f"{name}: a DataLoader cannot be divided and there is no test part; expected "
                    "{'train': loader, 'test': another}"
                )
            continue
        size, seed = (0.2, 0) if key == "test" else (options.validation, options.split_seed)
        train, taken = divide(name, train, size, seed)
        words.append(f"{key} {100 * size:g} %, stratified, seed {seed}")
        tested, validation = (taken, validation) if key == "test" else (tested, taken)
    if options.test == "validation" and validation is not None:
        tested, words[0] = validation, "the validation part in the test part's place"
    splits = [train, *(split for split in (validation, tested) if split is not None)]
    shapes = {split.shape for split in splits}
    if len(shapes) > 1 or len({split.pixels for split in splits}) > 1:
        raise DataError(f"{name}: parts have samples of different shapes or types, {sorted(shapes)}")
    classes = 1 + max(int(split.labels.max()) for split in splits)
    missing = sorted(set(range(classes)) - set(train.labels.tolist()))
    if classes < 2 or missing:
        problem = f"no training sample has label {missing[0]}" if missing else "all labels are 0"
        raise DataError(f"{name}: {problem}; expected labels from 0 to the number of classes - 1, each of them")
    if tested is None:
        tested = Split(torch.empty(0, *train.shape), torch.empty(0, dtype=torch.int64))
    mean, std = statistics(train)
    return DataBundle(
        name, train, validation, tested, classes, train.shape, mean, std, _names(given["train"], classes),
        _digest(splits), "; ".join(words),
    )  # fmt: skip


def _names(part: Any, classes: int) -> tuple[str, ...]:
    """Return the names of classes, as torchvision's data sets know them."""
    dataset = part.dataset if isinstance(part, DataLoader) else part
    names = getattr(dataset, "classes", None)
    if isinstance(names, list | tuple) and len(names) == classes:
        return tuple(map(str, names))
    return tuple(map(str, range(classes)))


def _digest(splits: list[Split]) -> str:
    """Return a hash of shapes and labels in any order: images may differ from epoch to epoch."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(f"{split.shape} {split.pixels} {split.labels.bincount().tolist()}".encode())
    return digest.hexdigest()
