"""Data sets that are folders of images: a user's own, and three subsets of ImageNet.

Every loader takes the folder data sets are kept in and whether it may download.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ffzoo.data.archives import read_npz
from ffzoo.data.bundle import Loader, RawData
from ffzoo.data.folders import DEFAULT_SIDE, FolderImages, common_side
from ffzoo.data.obtain import File, missing_error, obtain
from ffzoo.errors import DataError, one_line

_TINY_IMAGENET_URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
_TINY_IMAGENET_MD5 = "90528d7ca1a48142e341f4ef8d21d0de"


def folder(path: str) -> Loader:
    """Return an image folder: ``train/`` with ``test/`` or ``val/``, or one folder per class directly.

    With all three, ``val/`` joins the training set. Class folders alone have no test set, and one is
    split off later. Images become RGB; they keep their size when they are squares of one size and are
    otherwise scaled and centre-cropped to 224 pixels, unless the option ``resize`` says more.

    Args:
        path: the folder.

    Returns:
        Its loader; it raises DataError when the folder is missing or empty, or a test class is not a
        training class.
    """

    def load(root: Path, download: bool) -> RawData:
        base = Path(path).expanduser()
        if not base.is_dir():
            raise DataError(f"folder {base} does not exist: expected a folder of images, one folder a class")
        parts = [part for part in ("train", "val", "test") if (base / part).is_dir()]
        if "train" not in parts or len(parts) == 1:
            classes = _class_folders(base)
            paths, labels = _scan(base, classes)
            return RawData(_folder_images(base, paths), labels, class_names=tuple(classes))
        classes = _class_folders(base / "train")
        for part in parts[1:]:
            unknown = sorted(set(_class_folders(base / part)) - set(classes))
            if unknown:
                raise DataError(f"{base / part}: classes {unknown[:5]} are not in {base / 'train'}")
        return _train_test_folders(base, parts[:-1], parts[-1], classes, side=None)

    return load


def imagenette(root: Path, download: bool) -> RawData:
    """Imagenette, the 160-pixel version: 9,469 and 3,925 images read at 160x160, 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    from torchvision.datasets import Imagenette

    base = root / "imagenette2-160"

    def read(fetch: bool) -> RawData:
        listing = Imagenette(root, split="train", size="160px", download=fetch)
        raw = _train_test_folders(base, ["train"], "val", listing.wnids, side=160)
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
        classes = _class_folders(base / "train")
        index = {name: label for label, name in enumerate(classes)}
        paths, labels = _scan(base / "train", classes)
        rows = [line.split("\t") for line in annotations.read_text().splitlines()]
        test = [str(annotations.parent / "images" / row[0]) for row in rows]
        test_labels = np.asarray([index[row[1]] for row in rows], dtype=np.int64)
        images = [_folder_images(base, part, side=64) for part in (paths, test)]
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
            return _train_test_folders(base, ["train"], "val", wnids, DEFAULT_SIDE)
    remedy = (
        "get ILSVRC 2012 from https://image-net.org (with a login), unpack it to train/<wnid>/ and"
        " val/<wnid>/ in one of these folders, or set FFZOO_DATA or --data-dir to the folder that holds it"
    )
    raise missing_error("imagenet100", [packed, *places], "it cannot be downloaded", remedy)


def _scan(folder: Path, classes: Sequence[str], allow_empty: bool = False) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Image files under the class folders, and their labels; DataError when a class has none."""
    from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

    index = {name: label for label, name in enumerate(classes)}
    try:
        samples = make_dataset(str(folder), index, extensions=IMG_EXTENSIONS, allow_empty=allow_empty)
    except FileNotFoundError as error:
        raise DataError(f"{folder}: {one_line(error)}") from error
    return [path for path, _ in samples], np.asarray([label for _, label in samples], dtype=np.int64)


def _class_folders(folder: Path) -> list[str]:
    from torchvision.datasets.folder import find_classes

    try:
        classes: list[str] = find_classes(folder)[0]
    except FileNotFoundError as error:
        raise DataError(f"{folder} is empty: expected one folder of images a class") from error
    return classes


def _folder_images(root: Path, paths: Sequence[str], side: int | None = None) -> FolderImages:
    files = [os.path.relpath(path, root) for path in paths]
    return FolderImages(root, files, side or (common_side(root, files) if files else DEFAULT_SIDE))


def _train_test_folders(
    root: Path, training: Sequence[str], test: str, classes: Sequence[str], side: int | None
) -> RawData:
    """Return the image files under ``root``; ``training`` folders are joined."""
    found = [_scan(root / part, classes) for part in training]
    paths = [path for part, _ in found for path in part]
    labels = np.concatenate([part for _, part in found])
    test_paths, test_labels = _scan(root / test, classes, allow_empty=True)
    images = _folder_images(root, paths, side)
    return RawData(images, labels, _folder_images(root, test_paths, images.side), test_labels, tuple(classes))
