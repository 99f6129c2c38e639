"""Data sets that are folders of images: a user's own, and three subsets of ImageNet.

Every loader takes the folder data sets are kept in and whether it may download.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np

from ffzoo.data.archives import read_npz
from ffzoo.data.bundle import Loader, RawData
from ffzoo.data.folders import DEFAULT_SIDE, FolderImages, Reading
from ffzoo.data.obtain import File, missing_error, obtain, wrong_counts
from ffzoo.data.scanning import Found, class_folders, look_at, notes_of, refuse_unknown, scan
from ffzoo.errors import DataError

_TINY_IMAGENET_URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
_TINY_IMAGENET_MD5 = "90528d7ca1a48142e341f4ef8d21d0de"


def folder(path: str) -> Loader:
    """Return an image folder: ``train/`` with ``test/`` or ``val/``, or one folder per class directly.

    Folders of sets are known by the names that the common tools write. A validation set without a test set is the test
    set. Where there is neither, a test set is split off later. What is hidden, and what is no image, is skipped and
    said.

    Args:
        path: the folder.

    Returns:
        Its loader; it raises DataError when the folder is missing or empty, has images but no class folders, or a test
        class is not a training class.
    """

    def load(root: Path, download: bool) -> RawData:
        base = Path(path).expanduser()
        if base.is_file():
            hint = (
                f"npz:{path}" if base.suffix == ".npz" else "a folder of images, one folder a class; unpack an archive"
            )
            raise DataError(f"{base} is a file, no folder: expected {hint}")
        if not base.is_dir():
            raise DataError(f"folder {base} does not exist: expected a folder of images, one folder a class")
        layout = look_at(base)
        classes = class_folders(layout.train)
        test, validation = layout.test, layout.validation
        if test is None and validation is not None:
            test, validation = validation, None
            layout = replace(layout, notes=(*layout.notes, f"{test.name}/ is the test set, as there is no other"))
        folders = [layout.train, *(part for part in (validation, test) if part is not None)]
        for part in folders[1:]:
            refuse_unknown(part, classes, layout.train)
        found = [scan(part, classes, allow_empty=part != layout.train) for part in folders]
        notes = [*layout.notes, *notes_of(found), *_lacking(folders, found, classes)]
        images = [_folder_images(base, one.files) for one in found]
        labels = [np.asarray(one.labels, dtype=np.int64) for one in found]
        raw = RawData(images[0], labels[0], class_names=tuple(classes), notes=tuple(notes))
        if validation is not None:
            raw.validation_images, raw.validation_labels = images[1], labels[1]
        if test is not None:
            raw.test_images, raw.test_labels = images[-1], labels[-1]
        return raw

    return load


def _lacking(folders: Sequence[Path], found: Sequence[Found], classes: Sequence[str]) -> list[str]:
    """Say which classes a validation or test set has no image of."""
    notes = []
    for folder, one in zip(folders[1:], found[1:], strict=True):
        lacking = [name for label, name in enumerate(classes) if label not in set(one.labels)]
        if lacking and one.files:
            notes.append(f"{folder} has no image of class {', '.join(lacking[:5])}")
    return notes


def imagenette(root: Path, download: bool) -> RawData:
    """Imagenette, the 160-pixel version: 9,469 and 3,925 images read at 160x160, 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    from torchvision.datasets import Imagenette

    base = root / "imagenette2-160"

    def read(fetch: bool) -> RawData:
        listing = Imagenette(root, split="train", size="160px", download=fetch)
        raw = _train_test_folders(base, "val", listing.wnids, side=160)
        raw.class_names = tuple(words[0] for words in listing.classes)
        return raw

    return obtain("imagenette", root, download, [File(base / "train"), File(base / "val")], read)


def tiny_imagenet(root: Path, download: bool) -> RawData:
    """Tiny ImageNet: 100,000 images and the 10,000 of the validation set as test, 64x64, 200 classes.

    Raises:
        DataError: missing or corrupt.
    """
    from torchvision.datasets.utils import download_and_extract_archive

    base = root / "tiny-imagenet-200"
    annotations = base / "val" / "val_annotations.txt"

    def read(fetch: bool) -> RawData:
        if fetch:
            download_and_extract_archive(_TINY_IMAGENET_URL, root, md5=_TINY_IMAGENET_MD5)
        classes = class_folders(base / "train")
        index = {name: label for label, name in enumerate(classes)}
        found = scan(base / "train", classes)
        rows = [line.split("\t") for line in annotations.read_text().splitlines()]
        test = [str(annotations.parent / "images" / row[0]) for row in rows]
        test_labels = np.asarray([index[row[1]] for row in rows], dtype=np.int64)
        images = [_folder_images(base, part, side=64) for part in (found.files, test)]
        labels = np.asarray(found.labels, dtype=np.int64)
        return RawData(images[0], labels, images[1], test_labels, tuple(classes))

    return obtain("tiny_imagenet", root, download, [File(base / "train"), File(annotations)], read)


def imagenet100(root: Path, download: bool) -> RawData:
    """Return the 100 ImageNet classes of Tian et al. (2020); never downloaded, because ImageNet needs a login.

    Read from ``imagenet100/`` or ``imagenet/``, each with ``train/<wnid>/`` and ``val/<wnid>/``; other
    classes there are left out. The validation set is the test set.

    Raises:
        DataError: missing, or a class has no training images.
    """
    wnids = sorted(resources.files("ffzoo.data").joinpath("imagenet100.txt").read_text().split())
    packed = root / "imagenet100.npz"
    if packed.is_file():
        return read_npz(packed)
    places = [root / "imagenet100", root / "imagenet"]
    for base in places:
        if (base / "train").is_dir() and (base / "val").is_dir():
            raw = _train_test_folders(base, "val", wnids, DEFAULT_SIDE)
            wrong = wrong_counts("imagenet100", raw)
            if wrong:
                raise DataError(f"{base} {wrong}: unpack it again, or read it as folder:{base}")
            return raw
    remedy = (
        "get ILSVRC 2012 from https://image-net.org (with a login), unpack it to train/<wnid>/ and"
        " val/<wnid>/ in one of these folders, or set FFZOO_DATA or --data-dir to the folder that holds it"
    )
    raise missing_error("imagenet100", [packed, *places], "it cannot be downloaded", remedy)


def _folder_images(root: Path, paths: Sequence[str], side: int | None = None) -> FolderImages:
    return FolderImages(root, [os.path.relpath(path, root) for path in paths], None if side is None else Reading(side))


def _train_test_folders(root: Path, test: str, classes: Sequence[str], side: int) -> RawData:
    """Return the image files under ``root`` as RGB: those in ``train`` and those in ``test``."""
    found = [scan(root / "train", classes), scan(root / test, classes, allow_empty=True)]
    images = [_folder_images(root, one.files, side) for one in found]
    labels = [np.asarray(one.labels, dtype=np.int64) for one in found]
    return RawData(images[0], labels[0], images[1], labels[1], tuple(classes), notes=tuple(notes_of(found)))
