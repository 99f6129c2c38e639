"""Named data sets, as scikit-learn, torchvision and MedMNIST have them.

Every loader takes the folder data sets are kept in and whether it may download. ``<folder>/<name>.npz`` is used where
it exists; otherwise the form that torchvision downloads is read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ffzoo.data.archives import image_tensor, nchw
from ffzoo.data.bundle import Loader, RawData
from ffzoo.data.obtain import File, obtain
from ffzoo.data.options import MEDMNIST
from ffzoo.errors import DataError, UnknownNameError, nearest

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


def digits(root: Path, download: bool) -> RawData:
    """Digits 8x8 of scikit-learn, 1,797 images, one channel; values 0 to 16 are scaled to 0 to 255.

    Returns:
        uint8 (1797, 1, 8, 8), without a test set.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return RawData(torch.from_numpy(images)[:, None], bunch.target, class_names=tuple("0123456789"))


def _mnist_like(name: str, class_name: str, root: Path, download: bool) -> RawData:
    from torchvision import datasets

    cls = getattr(datasets, class_name)
    files = [File(root / class_name / "raw" / file, size=size) for file, size in _IDX_SIZES.items()]

    def read(fetch: bool) -> RawData:
        train, test = cls(root, train=True, download=fetch), cls(root, train=False, download=fetch)
        images = [part.data[:, None] for part in (train, test)]
        return RawData(images[0], train.targets, images[1], test.targets, tuple(train.classes))

    return obtain(name, root, download, files, read)


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
    files = [File(root / file, md5=md5) for _, file, md5 in listed]

    def read(fetch: bool) -> RawData:
        train, test = (SVHN(root, split=part, download=fetch) for part in ("train", "test"))
        images = [torch.from_numpy(np.ascontiguousarray(part.data)) for part in (train, test)]
        return RawData(images[0], train.labels, images[1], test.labels, tuple("0123456789"))

    return obtain("svhn", root, download, files, read)


def _cifar(name: str, class_name: str, root: Path, download: bool, coarse: bool = False) -> RawData:
    from torchvision import datasets

    cls = getattr(datasets, class_name)
    folder = root / cls.base_folder
    files = [File(folder / file, md5=md5) for file, md5 in [*cls.train_list, *cls.test_list]]
    files.append(File(folder / cls.meta["filename"], md5=cls.meta["md5"]))

    def read(fetch: bool) -> RawData:
        train, test = cls(root, train=True, download=fetch), cls(root, train=False, download=fetch)
        labels = [np.asarray(part.targets) for part in (train, test)]
        names = tuple(train.classes)
        if coarse:
            labels = [np.asarray(_CIFAR100_COARSE)[fine] for fine in labels]
            names = _CIFAR100_COARSE_NAMES
        return RawData(nchw(train.data), labels[0], nchw(test.data), labels[1], names)

    # The npz file of CIFAR-100 holds both kinds of labels.
    return obtain(name, root, download, files, read, npz_name="cifar100" if coarse else None, coarse=coarse)


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
    files = [File(folder / file, md5=md5) for file, md5 in [*STL10.train_list, *STL10.test_list]]

    def read(fetch: bool) -> RawData:
        train, test = (STL10(root, split=part, download=fetch) for part in ("train", "test"))
        images = [torch.from_numpy(np.ascontiguousarray(part.data)) for part in (train, test)]
        return RawData(images[0], train.labels, images[1], test.labels, tuple(train.classes))

    return obtain("stl10", root, download, files, read)


_MEDMNIST_OTHERS = {
    "chestmnist": "has several labels an image, and one label is what a rule here learns",
    "retinamnist": "has grades, ordered labels, and classes are what a rule here learns",
}


def _medmnist_flag(name: str) -> str:
    """Return the flag of a subset that is written as in its paper, such as ``PathMNIST``.

    Raises:
        UnknownNameError: there is none, or it is one that is not read; the message says why.
    """
    flag = re.sub(r"[\W_]+", "", name.lower())
    for form in (flag, flag + "mnist"):
        if form in MEDMNIST:
            return form
        if form in _MEDMNIST_OTHERS:
            raise UnknownNameError(f"MedMNIST subset {name!r} {_MEDMNIST_OTHERS[form]}; {nearest(form, MEDMNIST)}")
    if flag.endswith("3d"):
        raise UnknownNameError(
            f"MedMNIST subset {name!r} has volumes, and images are what is read; {nearest(flag, MEDMNIST)}"
        )
    raise UnknownNameError(f"unknown MedMNIST subset {name!r}: {nearest(flag, MEDMNIST)}")


def medmnist(flag: str) -> Loader:
    """Return a two-dimensional MedMNIST subset at 28 pixels; the published validation set joins the training set.

    Args:
        flag: one of :data:`ffzoo.data.options.MEDMNIST`.

    Returns:
        Its loader: uint8 (N, 1 or 3, 28, 28). The original file is kept as ``medmnist/<flag>.npz``.

    Raises:
        UnknownNameError: there is no such subset.
    """
    if flag not in MEDMNIST:
        flag = _medmnist_flag(flag)

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
            return RawData(image_tensor(images), labels, image_tensor(test.imgs), test.labels, names)

        return obtain(flag, root, download, [File(folder / f"{flag}.npz", md5=info["MD5"])], read)

    return load
