"""Where data sets come from: folders, npz files, named sets, real data."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from data_sets import EVERYTHING, write_images, write_npz
from PIL import Image

from ffzoo.data import archives, folder_sources, folders, obtain, sources, synthetic
from ffzoo.data import bundle as bundle_module
from ffzoo.data.bundle import DataBundle, Loader, RawData, load_data
from ffzoo.data.folders import FolderImages
from ffzoo.data.options import MEDMNIST, DataOptions, TeacherStudent
from ffzoo.errors import DataError, UnknownNameError

# --- folders ---------------------------------------------------------------------------------------------


def folder_tree(root: Path, parts: tuple[str, ...] = ("train", "val"), count: int = 4, **kwargs: Any) -> Path:
    for i, part in enumerate(parts):
        for j, name in enumerate(("cat", "dog")):
            write_images(root / part / name, count, seed=10 * i + j, **kwargs)
    return root


def load_folder(root: Path, options: DataOptions = EVERYTHING) -> DataBundle:
    return load_data(f"folder:{root}", folder_sources.folder(str(root)), options, Path())


def test_folder_round_trip(tmp_path: Path) -> None:
    data = load_folder(folder_tree(tmp_path))
    assert data.class_names == ("cat", "dog") and data.shape == (3, 8, 8)
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4 and data.test.labels.tolist() == [0] * 4 + [1] * 4
    pixels = np.asarray(Image.open(tmp_path / "train" / "dog" / "2.png"))
    assert np.array_equal(data.train.images[6].permute(1, 2, 0), pixels)


def test_folder_layouts(tmp_path: Path) -> None:
    direct = folder_tree(tmp_path / "direct", parts=("",), count=20)
    assert [len(part) for part in (load_folder(direct).train, load_folder(direct).test)] == [32, 8]
    three = folder_tree(tmp_path / "three", parts=("train", "val", "test"))
    data = load_folder(three)
    assert [len(data.train), len(data.test)] == [16, 8]
    pixels = np.asarray(Image.open(three / "test" / "cat" / "0.png"))
    assert np.array_equal(data.test.images[0].permute(1, 2, 0), pixels)


def test_a_class_may_be_missing_from_the_test_part(tmp_path: Path) -> None:
    folder_tree(tmp_path)
    for path in (tmp_path / "val" / "cat").iterdir():
        path.unlink()
    (tmp_path / "val" / "cat").rmdir()
    assert load_folder(tmp_path).test.labels.tolist() == [1] * 4  # numbered as in training


def test_folder_of_mixed_sizes_is_cropped(tmp_path: Path) -> None:
    folder_tree(tmp_path, size=(20, 10))
    assert load_folder(tmp_path).shape == (3, 10, 10)
    assert load_folder(tmp_path, DataOptions(validation=0, resize=6)).shape == (3, 6, 6)
    folder_tree(tmp_path / "squares")
    write_images(tmp_path / "squares" / "train" / "cat", 2, (12, 12))
    assert load_folder(tmp_path / "squares").shape == (3, 224, 224)


@pytest.fixture
def always_lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "MEMORY_LIMIT", 0)


@pytest.mark.parametrize("workers", [0, 3])
def test_lazy_folder_equals_the_decoded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    folder_tree(tmp_path, count=10)
    options = DataOptions(validation=0.2, train_size=8, workers=workers)
    eager = load_folder(tmp_path, options)
    monkeypatch.setattr(bundle_module, "MEMORY_LIMIT", 0)
    monkeypatch.setattr(folders, "_THREADS_FROM", 1)
    monkeypatch.setattr(folders, "_AHEAD", 2)
    lazy = load_folder(tmp_path, options)
    assert eager.train.in_memory and not lazy.train.in_memory
    assert (lazy.shape, lazy.mean, lazy.std) == (eager.shape, eager.mean, eager.std)
    assert lazy.train.nbytes == lazy.train.labels.nbytes
    order = [torch.tensor([5, 0, 2]), torch.tensor([7])]
    state = torch.get_rng_state()
    for ours, theirs in zip(lazy.train.batches(order), eager.train.batches(order), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.usefixtures("always_lazy")
def test_lazy_fingerprint_sees_names_and_sizes(tmp_path: Path) -> None:
    folder_tree(tmp_path)
    base = load_folder(tmp_path).sha256
    assert load_folder(tmp_path).sha256 == base
    (tmp_path / "train" / "cat" / "0.png").rename(tmp_path / "train" / "cat" / "9.png")
    renamed = load_folder(tmp_path).sha256
    Image.new("RGB", (8, 8)).save(tmp_path / "train" / "cat" / "9.png")
    assert len({base, renamed, load_folder(tmp_path).sha256}) == 3


def test_broken_image_is_named(tmp_path: Path) -> None:
    folder_tree(tmp_path)
    broken = tmp_path / "train" / "dog" / "1.png"
    broken.write_bytes(broken.read_bytes()[:100])  # the header is intact
    with pytest.raises(DataError, match=r"dog/1.png is not a readable image") as caught:
        load_folder(tmp_path)
    assert "Traceback" not in str(caught.value)
    broken.write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"dog/1.png is not a readable image"):
        load_folder(tmp_path)


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is empty: expected one folder"):
        load_folder(tmp_path)
    folder_tree(tmp_path)
    write_images(tmp_path / "val" / "eel", 1)
    with pytest.raises(DataError, match=r"classes \['eel'\] are not in"):
        load_folder(tmp_path)
    (tmp_path / "val" / "eel" / "0.png").rename(tmp_path / "val" / "cat" / "0.png")
    (tmp_path / "val" / "eel").rmdir()
    (tmp_path / "train" / "eel").mkdir()
    with pytest.raises(DataError, match="no image for the classes eel"):
        load_folder(tmp_path)


# --- npz -------------------------------------------------------------------------------------------------


def test_npz_round_trip(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "mine.npz")
    data = load_data("npz", archives.npz(str(path)), EVERYTHING, Path())
    assert data.shape == (3, 4, 4) and data.num_classes == 2 and data.class_names == ("0", "1")
    stored = np.load(path)["x_train"]
    assert np.array_equal(data.train.images.permute(0, 2, 3, 1), stored)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("shape", "dtype", "wanted"),
    [
        ((4, 4), np.uint8, (1, 4, 4)),
        ((5,), np.float64, (5,)),
        ((4, 4, 2), np.float16, (2, 4, 4)),
        ((5,), ">f4", (5,)),
    ],
)
def test_npz_forms(tmp_path: Path, shape: tuple[int, ...], dtype: Any, wanted: tuple[int, ...]) -> None:
    x = np.ones((6, *shape), dtype=dtype)
    path = write_npz(tmp_path / "mine.npz", x_train=x, x_test=x[:2])
    data = load_data("npz", archives.npz(str(path)), EVERYTHING, Path())
    assert data.shape == wanted
    assert isinstance(data.train.images, torch.Tensor)
    assert data.train.images.dtype == (torch.uint8 if dtype is np.uint8 else torch.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "has no y_test: expected x_train, y_train, x_test, y_test"),
        ({"x_train": np.zeros((6, 4, 4, 3), dtype=np.int32)}, "x_train is int32"),
        ({"x_train": np.zeros((6, 3, 8, 8), dtype=np.uint8)}, "channels last"),
        ({"x_train": np.zeros((6, 5), dtype=object)}, "x_train holds Python objects"),
        ({"x_train": np.array([object()] * 6)}, "is corrupt.*no archive of plain arrays"),
    ],
)
def test_npz_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_npz(tmp_path / "mine.npz", **changes)
    with pytest.raises(DataError, match=message):
        load_data("npz", archives.npz(str(path)), EVERYTHING, Path())


def test_npz_missing_or_corrupt(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        archives.npz(str(tmp_path / "no.npz"))(tmp_path, False)
    path = write_npz(tmp_path / "mine.npz")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match=r"mine.npz is corrupt .*: delete it"):
        archives.npz(str(path))(tmp_path, False)


# --- named sets ------------------------------------------------------------------------------------------


def test_digits() -> None:
    data = load_data("digits", sources.digits, DataOptions(), Path())
    assert data.validation is not None and data.shape == (1, 8, 8) and data.num_classes == 10
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1293, 144, 360]
    assert isinstance(data.train.images, torch.Tensor)
    assert data.train.images.dtype == torch.uint8
    assert (int(data.train.images.min()), int(data.train.images.max())) == (0, 255)


def test_teacher_student() -> None:
    config = TeacherStudent(num_classes=4, dim=6, samples=2000, test_samples=50, teacher_seed=1)
    make: Callable[[TeacherStudent], RawData] = partial(synthetic.teacher_student, root=Path(), download=False)
    raw, again = make(config), make(config)
    assert torch.equal(raw.train_images, again.train_images)  # type: ignore[arg-type]
    assert raw.train_images.shape == (2000, 6) and raw.test_labels.shape == (50,)  # type: ignore[union-attr]
    assert set(np.unique(raw.train_labels)) == {0, 1, 2, 3}
    fewer = make(TeacherStudent(num_classes=4, dim=6, samples=100, test_samples=50, teacher_seed=1))
    assert np.array_equal(raw.test_labels, fewer.test_labels)  # type: ignore[arg-type]
    noisy = make(TeacherStudent(4, 6, samples=2000, test_samples=50, noise=0.25, teacher_seed=1))
    assert np.sum(noisy.train_labels != raw.train_labels) == 500
    assert set(np.unique(noisy.train_labels)) == {0, 1, 2, 3}
    assert np.array_equal(raw.test_labels, noisy.test_labels)  # type: ignore[arg-type]


def test_balanced_teacher_student() -> None:
    config = TeacherStudent(num_classes=7, dim=6, samples=500, test_samples=70, balanced=True, teacher_seed=1)
    raw = synthetic.teacher_student(config, Path(), False)
    assert sorted(np.bincount(raw.train_labels)) == [71, 71, 71, 71, 72, 72, 72]
    assert (np.bincount(raw.test_labels) == 10).all()
    free = synthetic.teacher_student(replace(config, balanced=False), Path(), False)
    assert len(set(np.bincount(free.train_labels))) > 2
    hard = TeacherStudent(num_classes=200, dim=1, depth=1, samples=200, test_samples=10, balanced=True)
    with pytest.raises(DataError, match="balanced=false"):
        synthetic.teacher_student(hard, Path(), False)


def test_linear_teacher_is_linear() -> None:
    # With one weight layer, scaling an input cannot change its class.
    from sklearn.linear_model import LogisticRegression

    raw = synthetic.teacher_student(TeacherStudent(3, 5, depth=1, samples=2000), Path(), False)
    assert (
        LogisticRegression(max_iter=2000)
        .fit(raw.train_images, raw.train_labels)
        .score(raw.test_images, raw.test_labels)
        > 0.97
    )


NAMED: dict[str, Loader] = {
    **{
        name: getattr(sources, name)
        for name in ("mnist", "fashion_mnist", "kmnist", "svhn", "cifar10", "cifar100", "cifar100_coarse", "stl10")
    },
    **{name: getattr(folder_sources, name) for name in ("imagenette", "tiny_imagenet", "imagenet100")},
    "pathmnist": sources.medmnist("pathmnist"),
}


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No network: the addresses that were asked for."""
    asked: list[str] = []

    def refuse(request: Any, *args: Any, **kwargs: Any) -> None:
        asked.append(request if isinstance(request, str) else request.full_url)
        raise URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    return asked


@pytest.mark.parametrize("name", NAMED)
def test_missing_and_offline(tmp_path: Path, offline: list[str], name: str) -> None:
    with pytest.raises(DataError) as caught:
        NAMED[name](tmp_path / "data", True)
    text = str(caught.value)
    packed = "cifar100" if name == "cifar100_coarse" else name
    assert f"data set '{name}' is missing" in text
    assert str(tmp_path / "data" / f"{packed}.npz") in text
    assert "FFZOO_DATA" in text and "--data-dir" in text and "\n" not in text
    if name == "imagenet100":
        assert not offline and "image-net.org" in text
        assert str(tmp_path / "data" / "imagenet100") + "," in text
    else:
        assert offline and "no route to host" in text and "connect to the network" in text


@pytest.mark.parametrize("name", NAMED)
def test_download_switched_off(tmp_path: Path, offline: list[str], name: str) -> None:
    with pytest.raises(DataError, match="is missing"):
        NAMED[name](tmp_path / "data", False)
    assert not offline and not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", NAMED)
def test_named_sets_read_an_npz_file(tmp_path: Path, offline: list[str], name: str) -> None:
    coarse = {"y_train_coarse": np.array([1, 0] * 3), "y_test_coarse": np.array([1, 0])}
    coarse |= {"coarse_names": np.array(["x", "y"])}
    if name == "cifar100_coarse":
        write_npz(tmp_path / "cifar100.npz", **coarse)
    else:
        write_npz(tmp_path / f"{name}.npz")
    data = load_data(name, NAMED[name], EVERYTHING, tmp_path)
    first, names = (1, ("x", "y")) if name == "cifar100_coarse" else (0, ("0", "1"))
    assert int(data.train.labels[0]) == first and data.class_names == names and not offline


def sparse(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_corrupt_mnist_file_is_named(tmp_path: Path, offline: list[str]) -> None:
    raw = tmp_path / "MNIST" / "raw"
    for name, size in sources._IDX_SIZES.items():
        sparse(raw / name, size - (name == "train-labels-idx1-ubyte"))
    with pytest.raises(DataError, match="'mnist' is corrupt") as caught:
        sources.mnist(tmp_path, True)
    assert f"delete {raw / 'train-labels-idx1-ubyte'} and" in str(caught.value)
    assert not offline


def test_corrupt_cifar_file_is_named(tmp_path: Path, offline: list[str]) -> None:
    from torchvision.datasets import CIFAR10

    base = tmp_path / CIFAR10.base_folder
    for name, _ in [*CIFAR10.train_list, *CIFAR10.test_list]:
        sparse(base / name, 10)
    sparse(base / "batches.meta", 10)
    with pytest.raises(DataError, match=r"'cifar10' is corrupt .*delete .*data_batch_1, .*again"):
        sources.cifar10(tmp_path, True)
    assert not offline


def test_tiny_imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive goes through torchvision's own check and extraction; only the transfer is replaced."""
    source = tmp_path / "source" / "tiny-imagenet-200"
    for i, wnid in enumerate(("n02", "n01")):
        write_images(source / "train" / wnid / "images", 3, (64, 64), seed=i)
    write_images(source / "val" / "images", 2, (64, 64), seed=9)
    (source / "val" / "val_annotations.txt").write_text("1.png\tn02\t0\t0\t1\t1\n0.png\tn01\t0\t0\t1\t1\n")
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(source.rglob("*")):
            file.write(path, path.relative_to(source.parent))

    def transfer(url: str, target: str) -> None:
        assert url == "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
        Path(target).write_bytes(archive.read_bytes())

    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, max_hops: url)
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", transfer)
    with pytest.raises(DataError, match="download failed: File not found or corrupted"):
        folder_sources.tiny_imagenet(tmp_path / "other", True)
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(folder_sources, "_TINY_IMAGENET_MD5", md5)
    monkeypatch.setitem(obtain.PUBLISHED, "tiny_imagenet", (6, 2))
    data = load_data("tiny_imagenet", folder_sources.tiny_imagenet, EVERYTHING, tmp_path / "data")
    assert data.class_names == ("n01", "n02") and data.shape == (3, 64, 64)
    assert data.train.labels.tolist() == [0] * 3 + [1] * 3 and data.test.labels.tolist() == [1, 0]
    pixels = np.asarray(Image.open(source / "val" / "images" / "1.png"))
    assert np.array_equal(data.test.images[0].permute(1, 2, 0), pixels)
    (tmp_path / "data" / "tiny-imagenet-200" / "val" / "val_annotations.txt").write_text("nonsense")
    with pytest.raises(DataError, match="'tiny_imagenet' is corrupt"):
        folder_sources.tiny_imagenet(tmp_path / "data", True)


def test_imagenette(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("train", "val"):
        for i, wnid in enumerate(("n03888257", "n01440764")):
            write_images(tmp_path / "imagenette2-160" / part / wnid, 2, (20, 16), seed=i)
            for path in (tmp_path / "imagenette2-160" / part / wnid).iterdir():
                path.rename(path.with_suffix(".jpeg"))
    with pytest.raises(DataError, match=r"corrupt \(it has 4 training and 4 test samples instead of 9,469 training"):
        folder_sources.imagenette(tmp_path, True)
    monkeypatch.setitem(obtain.PUBLISHED, "imagenette", (4, 4))
    data = load_data("imagenette", folder_sources.imagenette, EVERYTHING, tmp_path, download=False)
    assert data.class_names == ("tench", "parachute") and data.shape == (3, 160, 160)
    assert len(data.train) == len(data.test) == 4
    for path in (tmp_path / "imagenette2-160" / "train" / "n01440764").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"'imagenette' is corrupt .*classes n01440764.*delete"):
        folder_sources.imagenette(tmp_path, True)


@pytest.mark.parametrize("base", ["imagenet100", "imagenet"])
def test_imagenet100(tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wnids = (Path(sources.__file__).parent / "imagenet100.txt").read_text().split()
    assert len(set(wnids)) == 100
    for part in ("train", "val"):
        for wnid in [*wnids, "n99999999"]:
            write_images(tmp_path / base / part / wnid, 1)
    with pytest.raises(DataError, match="100 test samples instead of 5,000 test samples"):
        folder_sources.imagenet100(tmp_path, False)
    monkeypatch.setitem(obtain.PUBLISHED, "imagenet100", (None, 100))
    raw = folder_sources.imagenet100(tmp_path, False)
    assert raw.class_names == tuple(sorted(wnids))
    assert isinstance(raw.train_images, FolderImages)
    assert len(raw.train_images) == 100 and raw.train_images.reading.side == 224
    (tmp_path / base / "train" / wnids[0] / "0.png").unlink()
    with pytest.raises(DataError, match=wnids[0]):
        folder_sources.imagenet100(tmp_path, False)


def test_medmnist(tmp_path: Path, offline: list[str]) -> None:
    medmnist = pytest.importorskip("medmnist")
    single = ("multi-class", "binary-class")
    flat = {flag for flag, info in medmnist.INFO.items() if info["task"] in single and not flag.endswith("3d")}
    assert set(MEDMNIST) == flat
    with pytest.raises(UnknownNameError, match="did you mean 'breastmnist'"):
        sources.medmnist("brestmnist")
    (tmp_path / "medmnist").mkdir()
    arrays = {}
    for i, part in enumerate(("train", "val", "test")):
        arrays[f"{part}_images"] = np.full((4, 28, 28), i, dtype=np.uint8)
        arrays[f"{part}_labels"] = np.array([[0], [1]] * 2, dtype=np.uint8)
    np.savez(tmp_path / "medmnist" / "breastmnist.npz", **arrays)
    data = load_data("breastmnist", sources.medmnist("breastmnist"), EVERYTHING, tmp_path)
    assert isinstance(data.train.images, torch.Tensor)
    assert [len(data.train), len(data.test)] == [8, 4] and data.shape == (1, 28, 28)
    assert data.class_names == ("malignant", "normal, benign") and int(data.test.images.max()) == 2
    (tmp_path / "medmnist" / "breastmnist.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"'breastmnist' is corrupt .*delete .*breastmnist.npz"):
        sources.medmnist("breastmnist")(tmp_path, True)
    assert not offline


# --- real data -------------------------------------------------------------------------------------------


def real(name: str, *places: str) -> DataBundle:
    root = Path(os.environ.get("FFZOO_DATA") or "/nonexistent")
    if not any((root / place).exists() for place in places):
        pytest.skip(f"{name} is not in FFZOO_DATA")
    return load_data(name, NAMED[name], DataOptions(), root, download=False)


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_real_mnist(name: str) -> None:
    data = real(name, "MNIST/raw" if name == "mnist" else "FashionMNIST/raw")
    assert data.validation is not None
    assert [len(part) for part in (data.train, data.validation, data.test)] == [54_000, 6_000, 10_000]
    known = (0.1307, 0.3081) if name == "mnist" else (0.2860, 0.3530)
    assert (*data.mean, *data.std) == pytest.approx(known, abs=2e-3)
    assert data.class_names[9] == ("9 - nine" if name == "mnist" else "Ankle boot")


@pytest.mark.data
def test_real_cifar10() -> None:
    data = real("cifar10", "cifar-10-batches-py")
    assert data.train.labels.bincount().tolist() == [4500] * 10 and len(data.test) == 10_000
    assert data.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=2e-3)
    assert data.class_names[0] == "airplane"


@pytest.mark.data
def test_real_cifar100_and_its_superclasses() -> None:
    fine = real("cifar100", "cifar100.npz", "cifar-100-python")
    coarse = real("cifar100_coarse", "cifar100.npz", "cifar-100-python")
    assert fine.test.labels.bincount().tolist() == [100] * 100
    assert coarse.test.labels.bincount().tolist() == [500] * 20
    table = torch.tensor(sources._CIFAR100_COARSE)
    assert torch.equal(table[fine.test.labels], coarse.test.labels)
    assert coarse.class_names == sources._CIFAR100_COARSE_NAMES
