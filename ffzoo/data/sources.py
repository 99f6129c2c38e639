"""Where data sets come from.

Every loader takes the folder data sets are kept in and whether it may download; a set with options takes
its config first. ``<folder>/<name>.npz`` is used where it exists; otherwise the form that torchvision
downloads is read. :func:`folder` and :func:`npz` read the user's own data.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ffzoo.data.bundle import Loader, RawData
from ffzoo.data.folders import DEFAULT_SIDE, FolderImages, common_side
from ffzoo.data.options import MEDMNIST, TeacherStudent
from ffzoo.errors import DataError, UnknownNameError, nearest

_TINY_IMAGENET_URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
_TINY_IMAGENET_MD5 = "90528d7ca1a48142e341f4ef8d21d0de"

# The idx files carry no checksum once unpacked; their sizes are the same in all three MNIST-like sets.
_IDX_SIZES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 784,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 784,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}

# Superclass of each of CIFAR-100's classes: torchvision's reader drops the coarse labels.
_CIFAR100_COARSE = (
    *(4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7),
    *(6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10),
    *(16, 4, 17, 4, 2, 0, 17, 4, 18, 17, 10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16),
    *(12, 9, 13, 15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13),
)
_CIFAR100_COARSE_NAMES = tuple(
    "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices"
    " household_furniture insects large_carnivores large_man-made_outdoor_things"
    " large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals"
    " non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2".split()
)


@dataclass(frozen=True)
class _File:
    """A file or folder a set is read from, and what is known about its content."""

    path: Path
    md5: str | None = None
    size: int | None = None

    def intact(self) -> bool:
        from torchvision.datasets.utils import check_integrity

        if self.size is not None:
            return self.path.stat().st_size == self.size
        return self.md5 is None or bool(check_integrity(self.path, self.md5))


def _reason(error: BaseException) -> str:
    """The error's text on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _missing(name: str, places: Sequence[Path], why: str, remedy: str) -> DataError:
    looked = ", ".join(str(place) for place in places)
    return DataError(f"data set {name!r} is missing ({why}); looked for {looked}; {remedy}")


_BALANCE_DRAWS = 200  # times as many inputs as samples that a balanced set may cost
_REMEDY = "connect to the network, or set FFZOO_DATA or --data-dir to a folder that holds it"


def _obtain(
    name: str,
    root: Path,
    download: bool,
    files: Sequence[_File],
    read: Callable[[bool], RawData],
    npz_name: str | None = None,
    coarse: bool = False,
) -> RawData:
    """Read a named set: its npz file, else ``files`` through ``read``, downloading them when absent."""
    packed = root / f"{npz_name or name}.npz"
    if packed.is_file():
        return _read_npz(packed, coarse)
    missing = [file.path for file in files if not file.path.exists()]
    if missing and not download:
        raise _missing(name, [packed, *missing], "downloading is switched off", _REMEDY)
    # What a reader raises on broken bytes or a broken connection is of no fixed type.
    try:
        if missing:
            root.mkdir(parents=True, exist_ok=True)
        return read(bool(missing))
    except Exception as error:
        if missing:
            why = f"the download failed: {_reason(error)}"
            raise _missing(name, [packed, *missing], why, _REMEDY) from error
        broken = [file.path for file in files if not file.intact()] or [file.path for file in files]
        which = ", ".join(str(path) for path in broken)
        raise DataError(
            f"data set {name!r} is corrupt ({_reason(error)}): delete {which} and run again to download"
        ) from error


def _nchw(images: np.ndarray[Any, Any]) -> Tensor:
    """uint8 or float (N, H, W, C) -> contiguous (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def digits(root: Path, download: bool) -> RawData:
    """Digits 8x8 of scikit-learn, 1,797 images, one channel; values 0 to 16 are scaled to 0 to 255.

    Returns:
        uint8 (1797, 1, 8, 8), without a test part.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return RawData(torch.from_numpy(images)[:, None], bunch.target, class_names=tuple("0123456789"))


def _mnist_like(name: str, class_name: str, root: Path, download: bool) -> RawData:
    from torchvision import datasets

    cls = getattr(datasets, class_name)
    files = [_File(root / class_name / "raw" / file, size=size) for file, size in _IDX_SIZES.items()]

    def read(fetch: bool) -> RawData:
        train, test = cls(root, train=True, download=fetch), cls(root, train=False, download=fetch)
        images = [part.data[:, None] for part in (train, test)]
        return RawData(images[0], train.targets, images[1], test.targets, tuple(train.classes))

    return _obtain(name, root, download, files, read)


def mnist(root: Path, download: bool) -> RawData:
    """MNIST: uint8 (60000, 1, 28, 28) and (10000, 1, 28, 28), 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    return _mnist_like("mnist", "MNIST", root, download)


def fashion_mnist(root: Path, download: bool) -> RawData:
    """Fashion-MNIST: uint8 (60000, 1, 28, 28) and (10000, 1, 28, 28), 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    return _mnist_like("fashion_mnist", "FashionMNIST", root, download)


def kmnist(root: Path, download: bool) -> RawData:
    """Kuzushiji-MNIST: uint8 (60000, 1, 28, 28) and (10000, 1, 28, 28), 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    return _mnist_like("kmnist", "KMNIST", root, download)


def svhn(root: Path, download: bool) -> RawData:
    """SVHN, cropped digits: uint8 (73257, 3, 32, 32) and (26032, 3, 32, 32), 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    from torchvision.datasets import SVHN

    listed = [SVHN.split_list[part] for part in ("train", "test")]
    files = [_File(root / file, md5=md5) for _, file, md5 in listed]

    def read(fetch: bool) -> RawData:
        train, test = (SVHN(root, split=part, download=fetch) for part in ("train", "test"))
        images = [torch.from_numpy(np.ascontiguousarray(part.data)) for part in (train, test)]
        return RawData(images[0], train.labels, images[1], test.labels, tuple("0123456789"))

    return _obtain("svhn", root, download, files, read)


def _cifar(name: str, class_name: str, root: Path, download: bool, coarse: bool = False) -> RawData:
    from torchvision import datasets

    cls = getattr(datasets, class_name)
    folder = root / cls.base_folder
    files = [_File(folder / file, md5=md5) for file, md5 in [*cls.train_list, *cls.test_list]]
    files.append(_File(folder / cls.meta["filename"], md5=cls.meta["md5"]))

    def read(fetch: bool) -> RawData:
        train, test = cls(root, train=True, download=fetch), cls(root, train=False, download=fetch)
        labels = [np.asarray(part.targets) for part in (train, test)]
        names = tuple(train.classes)
        if coarse:
            labels = [np.asarray(_CIFAR100_COARSE)[fine] for fine in labels]
            names = _CIFAR100_COARSE_NAMES
        return RawData(_nchw(train.data), labels[0], _nchw(test.data), labels[1], names)

    # The npz file of CIFAR-100 holds both kinds of labels.
    return _obtain(name, root, download, files, read, npz_name="cifar100" if coarse else None, coarse=coarse)


def cifar10(root: Path, download: bool) -> RawData:
    """CIFAR-10: uint8 (50000, 3, 32, 32) and (10000, 3, 32, 32), 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    return _cifar("cifar10", "CIFAR10", root, download)


def cifar100(root: Path, download: bool) -> RawData:
    """CIFAR-100: uint8 (50000, 3, 32, 32) and (10000, 3, 32, 32), 100 classes.

    Raises:
        DataError: missing or corrupt.
    """
    raw = _cifar("cifar100", "CIFAR100", root, download)
    return replace(raw, superclasses=_CIFAR100_COARSE, superclass_names=_CIFAR100_COARSE_NAMES)


def cifar100_coarse(root: Path, download: bool) -> RawData:
    """CIFAR-100 with its 20 superclasses: uint8 (50000, 3, 32, 32) and (10000, 3, 32, 32).

    Raises:
        DataError: missing or corrupt.
    """
    return _cifar("cifar100_coarse", "CIFAR100", root, download, coarse=True)


def stl10(root: Path, download: bool) -> RawData:
    """STL-10, labelled part: uint8 (5000, 3, 96, 96) and (8000, 3, 96, 96), 10 classes.

    Raises:
        DataError: missing or corrupt.
    """
    from torchvision.datasets import STL10

    folder = root / STL10.base_folder
    files = [_File(folder / file, md5=md5) for file, md5 in [*STL10.train_list, *STL10.test_list]]

    def read(fetch: bool) -> RawData:
        train, test = (STL10(root, split=part, download=fetch) for part in ("train", "test"))
        images = [torch.from_numpy(np.ascontiguousarray(part.data)) for part in (train, test)]
        return RawData(images[0], train.labels, images[1], test.labels, tuple(train.classes))

    return _obtain("stl10", root, download, files, read)


def medmnist(flag: str) -> Loader:
    """A two-dimensional MedMNIST subset at 28 pixels; the published validation part joins the training part.

    Args:
        flag: one of :data:`ffzoo.data.options.MEDMNIST`.

    Returns:
        Its loader: uint8 (N, 1 or 3, 28, 28). The original file is kept as ``medmnist/<flag>.npz``.

    Raises:
        UnknownNameError: there is no such subset.
    """
    if flag not in MEDMNIST:
        raise UnknownNameError(f"unknown MedMNIST subset {flag!r}: {nearest(flag, MEDMNIST)}")

    def load(root: Path, download: bool) -> RawData:
        try:
            import medmnist as package
        except ImportError as error:
            raise DataError(f"data set {flag!r} needs the package medmnist: pip install medmnist") from error
        from torchvision.datasets.utils import download_url

        info = package.INFO[flag]
        folder = root / "medmnist"

        def read(fetch: bool) -> RawData:
            if fetch:
                # The package's own download turns Ctrl-C into a failed download.
                download_url(info["url"], folder, f"{flag}.npz", info["MD5"])
            cls = getattr(package, info["python_class"])
            train, held, test = (cls(split=part, root=folder) for part in ("train", "val", "test"))
            images = np.concatenate([train.imgs, held.imgs])
            labels = np.concatenate([train.labels, held.labels])
            names = tuple(info["label"][str(k)] for k in range(len(info["label"])))
            return RawData(_image_tensor(images), labels, _image_tensor(test.imgs), test.labels, names)

        return _obtain(flag, root, download, [_File(folder / f"{flag}.npz", md5=info["MD5"])], read)

    return load


def _scan(folder: Path, classes: Sequence[str], allow_empty: bool = False) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Image files under the class folders, and their labels; DataError when a class has none."""
    from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

    index = {name: label for label, name in enumerate(classes)}
    try:
        samples = make_dataset(str(folder), index, extensions=IMG_EXTENSIONS, allow_empty=allow_empty)
    except FileNotFoundError as error:
        raise DataError(f"{folder}: {_reason(error)}") from error
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
    """The image files under ``root``; ``training`` folders are joined."""
    found = [_scan(root / part, classes) for part in training]
    paths = [path for part, _ in found for path in part]
    labels = np.concatenate([part for _, part in found])
    test_paths, test_labels = _scan(root / test, classes, allow_empty=True)
    images = _folder_images(root, paths, side)
    return RawData(images, labels, _folder_images(root, test_paths, images.side), test_labels, tuple(classes))


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

    return _obtain("imagenette", root, download, [_File(base / "train"), _File(base / "val")], read)


def tiny_imagenet(root: Path, download: bool) -> RawData:
    """Tiny ImageNet: 100,000 images and the 10,000 of the validation part as test, 64x64, 200 classes.

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

    return _obtain("tiny_imagenet", root, download, [_File(base / "train"), _File(annotations)], read)


def imagenet100(root: Path, download: bool) -> RawData:
    """The 100 ImageNet classes of Tian et al. (2020); never downloaded, because ImageNet needs a login.

    Read from ``imagenet100/`` or ``imagenet/``, each with ``train/<wnid>/`` and ``val/<wnid>/``; other
    classes there are left out. The validation part is the test part.

    Raises:
        DataError: missing, or a class has no training images.
    """
    wnids = sorted(resources.files("ffzoo.data").joinpath("imagenet100.txt").read_text().split())
    packed = root / "imagenet100.npz"
    if packed.is_file():
        return _read_npz(packed)
    places = [root / "imagenet100", root / "imagenet"]
    for base in places:
        if (base / "train").is_dir() and (base / "val").is_dir():
            return _train_test_folders(base, ["train"], "val", wnids, DEFAULT_SIDE)
    remedy = (
        "get ILSVRC 2012 from https://image-net.org (with a login), unpack it to train/<wnid>/ and"
        " val/<wnid>/ in one of these folders, or set FFZOO_DATA or --data-dir to the folder that holds it"
    )
    raise _missing("imagenet100", [packed, *places], "it cannot be downloaded", remedy)


def teacher_student(config: TeacherStudent, root: Path, download: bool) -> RawData:
    """Gaussian inputs labelled by the arg max of a fixed random ReLU network.

    Args:
        config: sizes, noise and seed.
        root: not used.
        download: not used.

    Returns:
        float32 (samples, dim) and (test_samples, dim).
    """
    # One stream for each: the test samples do not depend on how many training samples are asked for.
    seeds = np.random.SeedSequence(config.teacher_seed).spawn(4)
    teacher, train, test, noise = (np.random.default_rng(seed) for seed in seeds)
    widths = [config.dim] + [config.hidden] * (config.depth - 1) + [config.num_classes]
    weights = [teacher.standard_normal((a, b)) * np.sqrt(2 / a) for a, b in itertools.pairwise(widths)]

    def label(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # float64, so that rounding decides no label.
        h = x.astype(np.float64)
        for weight in weights[:-1]:
            h = np.maximum(h @ weight, 0)
        return np.asarray((h @ weights[-1]).argmax(1))

    def draw(generator: np.random.Generator, count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        x = generator.standard_normal((count, config.dim), dtype=np.float32)
        if not config.balanced:
            return x, label(x)
        room = np.full(config.num_classes, count // config.num_classes)
        room[: count % config.num_classes] += 1
        kept: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        for _ in range(_BALANCE_DRAWS):
            y = label(x)
            order = np.argsort(y, kind="stable")
            rank = np.empty(len(y), int)  # of a sample within its class
            rank[order] = np.arange(len(y)) - np.searchsorted(y[order], y[order])
            taken = rank < room[y]
            kept.append((x[taken], y[taken]))
            room -= np.bincount(y[taken], minlength=config.num_classes)
            if not room.any():
                return np.concatenate([x for x, _ in kept]), np.concatenate([y for _, y in kept])
            x = generator.standard_normal((count, config.dim), dtype=np.float32)
        raise DataError(
            f"teacher_student: {_BALANCE_DRAWS * count:,} inputs hold too few of class {int(room.argmax())} of the "
            f"teacher with seed {config.teacher_seed}; expected balanced=false, another teacher_seed or fewer samples"
        )

    x_train, y_train = draw(train, config.samples)
    x_test, y_test = draw(test, config.test_samples)
    wrong = noise.permutation(config.samples)[: round(config.noise * config.samples)]
    y_train[wrong] += noise.integers(1, config.num_classes, len(wrong))
    y_train %= config.num_classes
    names = tuple(str(k) for k in range(config.num_classes))
    return RawData(torch.from_numpy(x_train), y_train, torch.from_numpy(x_test), y_test, names)


def folder(path: str) -> Loader:
    """An image folder: ``train/`` with ``test/`` or ``val/``, or one folder a class directly.

    With all three, ``val/`` joins the training part. Class folders alone have no test part, and one is
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


def npz(path: str) -> Loader:
    """A NumPy archive with x_train, y_train, x_test and y_test.

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
        return _read_npz(file)

    return load


def _read_npz(file: Path, coarse: bool = False) -> RawData:
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
        cause = "no archive of plain arrays" if "pickle" in str(error) else _reason(error)
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
        images.append(_image_tensor(array))
    names = tuple(str(name) for name in arrays.get(names_key, ()))
    return RawData(images[0], y_train, images[1], y_test, names)


def _image_tensor(array: np.ndarray[Any, Any]) -> Tensor:
    """Channels first, one channel for (N, H, W); every other shape is left to the checks that follow."""
    if array.dtype.kind == "f":
        array = array.astype(np.float32)  # half and extended precision included
    if array.ndim == 3:
        array = array[..., None]
    return _nchw(array) if array.ndim == 4 else torch.from_numpy(array)
