"""Data sets: sources, checks, splits, lazy folders and augmentation."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
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
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ffzoo.data import bundle as bundle_module
from ffzoo.data import sources
from ffzoo.data.augment import Augment, cutout, random_crop, random_flip
from ffzoo.data.bundle import DataBundle, Loader, Preprocess, RawData, Split, load_data
from ffzoo.data.folders import FolderImages, square
from ffzoo.data.options import MEDMNIST, DataOptions, TeacherStudent, default_root
from ffzoo.errors import DataError, OptionError, UnknownNameError

EVERYTHING = DataOptions(validation=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def toy(n: int = 60, classes: int = 3, **changes: Any) -> RawData:
    """Random uint8 images (n, 3, 8, 8) for both parts, labels in turn."""
    images = torch.randint(256, (n, 3, 8, 8), generator=generator(), dtype=torch.uint8)
    labels = np.arange(n) % classes
    raw = RawData(images, labels, images.clone(), labels.copy())
    for key, value in changes.items():
        setattr(raw, key, value)
    return raw


def load(raw: RawData, options: DataOptions = EVERYTHING) -> DataBundle:
    return load_data("toy", lambda root, download: raw, options, Path())


def write_images(folder: Path, count: int, size: tuple[int, int] = (8, 8), seed: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for i in range(count):
        pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def write_npz(path: Path, **changes: Any) -> Path:
    arrays: dict[str, Any] = {
        "x_train": np.arange(6 * 4 * 4 * 3, dtype=np.uint8).reshape(6, 4, 4, 3),
        "y_train": np.array([0, 1, 0, 1, 0, 1]),
        "x_test": np.zeros((2, 4, 4, 3), dtype=np.uint8),
        "y_test": np.array([0, 1]),
    }
    arrays |= changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


# --- options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"validation": 1.0},
        {"validation": -0.1},
        {"validation": float("nan")},
        {"validation": "half"},
        {"validation": False},
        {"split_seed": -1},
        {"split_seed": 2**32},
        {"split_seed": 0.5},
        {"train_size": 0},
        {"train_size": True},
        {"test_size": 1.5},
        {"resize": 0},
    ],
)
def test_data_options_refuse(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(OptionError, match=name):
        DataOptions(**change)


@pytest.mark.parametrize("change", [{"num_classes": 1}, {"dim": 0}, {"depth": 0}, {"noise": 1.1}, {"teacher_seed": -1}])
def test_teacher_student_options_refuse(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(OptionError, match=name):
        TeacherStudent(**change)


def test_default_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FFZOO_DATA", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.delenv("FFZOO_DATA")
    assert default_root().name == "data"
    assert "ffzoo" in str(default_root())


def test_options_do_not_import_torch() -> None:
    code = "import sys, ffzoo.data.options as o; o.default_root(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0


# --- checks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_labels": np.arange(60) % 3 - 1}, "label -1 is negative"),
        ({"train_labels": np.arange(60) % 3 + 0.5}, "labels are float64, expected integers"),
        ({"train_labels": np.zeros((60, 2), dtype=np.int64)}, r"shape \(60, 2\)"),
        ({"train_labels": np.arange(60) % 3 * 2}, "up to 4 but no training sample has label 1"),
        ({"test_labels": np.arange(60) % 4}, "label 3 is out of range, expected 0 to 2"),
        ({"class_names": ("a", "b")}, "label 2 is out of range, expected 0 to 1"),
        ({"train_labels": np.arange(59) % 3}, "60 images but 59 labels"),
        ({"test_labels": None}, "needs both images and labels"),
        ({"train_labels": np.zeros(60, dtype=np.int64)}, "all training labels are 0"),
        ({"train_images": torch.empty(0, 3, 8, 8), "train_labels": np.empty(0, dtype=int)}, "no samples"),
        (
            {"test_images": torch.empty(0, 3, 8, 8), "test_labels": np.empty(0, dtype=int)},
            "test part.*no samp",
        ),
        ({"train_images": torch.full((60, 3, 8, 8), torch.nan)}, "60 samples hold NaN or infinite .* is 0"),
        (
            {"test_images": torch.tensor([0.0] * 59 + [torch.inf])[:, None]},
            "1 samples hold NaN.* first is 59",
        ),
        ({"train_images": torch.zeros(60, 8, 8, dtype=torch.uint8)}, "samples are uint8"),
        ({"train_images": torch.zeros(60, 3, 8, 8, dtype=torch.int32)}, "samples are int32"),
        ({"test_images": torch.zeros(60, 3, 9, 9, dtype=torch.uint8)}, "different shapes"),
    ],
)
def test_bad_data_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(toy(**changes))


def test_label_column_is_taken() -> None:
    data = load(toy(train_labels=(np.arange(60) % 3)[:, None]))
    assert data.train.labels.shape == (60,) and data.train.labels.dtype == torch.int64


# --- splits ----------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(n=st.integers(40, 200), classes=st.integers(2, 5), fraction=st.floats(0.15, 0.6), seed=st.integers(0, 99))
def test_splits_are_disjoint_stratified_and_reproducible(n: int, classes: int, fraction: float, seed: int) -> None:
    labels = np.sort(np.random.default_rng(seed).permutation(np.arange(n) % classes))
    raw = RawData(torch.arange(n)[:, None].float(), labels)
    options = DataOptions(validation=fraction, split_seed=seed)
    data = load(raw, options)
    assert data.validation is not None
    parts = [data.train, data.validation, data.test]
    ids = torch.cat([part.images.flatten() for part in parts if isinstance(part.images, torch.Tensor)])
    assert sorted(ids.tolist()) == list(range(n))
    counts = [np.bincount(part.labels, minlength=classes) for part in parts]
    for part, whole in [(counts[2], sum(counts)), (counts[1], counts[0] + counts[1])]:
        assert np.all(np.abs(part - whole * part.sum() / whole.sum()) < 1)
    again = load(raw, options)
    assert data.sha256 == again.sha256 and data.split == again.split


def test_the_test_part_does_not_depend_on_the_options() -> None:
    options = [DataOptions(split_seed=s, validation=0.1 * s) for s in (0, 1, 2)]
    raw = RawData(toy().train_images, toy().train_labels)
    tests = [load(raw, option).test for option in options]
    assert all(torch.equal(tests[0].images, test.images) for test in tests)
    assert load(raw, options[1]).split == (
        "test 20 %, stratified, seed 0; validation 10 % of the training part, stratified, seed 1"
    )


def test_subsets() -> None:
    data = load(toy(), DataOptions(validation=0.2, train_size=12, test_size=6, split_seed=3))
    assert data.validation is not None
    assert [len(part) for part in (data.train, data.validation, data.test)] == [12, 12, 6]
    assert data.train.labels.bincount().tolist() == [4, 4, 4]
    assert "train subset of 12, stratified, seed 3; test subset of 6" in data.split
    assert len(load(toy(), DataOptions(validation=0, train_size=60)).train) == 60
    with pytest.raises(OptionError, match="train_size=55: toy has 54 samples"):
        load(toy(), DataOptions(train_size=55))


def test_part_too_small_for_its_classes() -> None:
    labels = np.array([0] * 30 + [1] * 28 + [2] * 2)
    with pytest.raises(DataError, match=r"cannot split 3 % off 60 samples.*smallest has 2"):
        load(toy(train_labels=labels), DataOptions(validation=0.03))


# --- statistics, size and devices ------------------------------------------------------------------------


def test_statistics_and_preprocess() -> None:
    raw = toy(n=1200)  # more than one chunk
    data = load(raw)
    assert isinstance(data.train.images, torch.Tensor)
    pixels = data.train.images.double() / 255
    assert data.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())
    assert data.std == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist())
    out = Preprocess(data.mean, data.std)(data.train.images)
    assert out.dtype == torch.float32 and out.shape == raw.train_images.shape
    assert out.mean((0, 2, 3)).abs().max() < 1e-5 and (out.std((0, 2, 3)) - 1).abs().max() < 1e-3
    assert Preprocess(data.mean, data.std)(out) is out


def test_statistics_are_of_the_training_part_alone() -> None:
    images = torch.zeros(60, 1, 4, 4, dtype=torch.uint8)
    data = load(toy(train_images=images, test_images=images + 255))
    assert data.mean == (0.0,)
    assert data.std == (1 / 255,)  # constant, and still a divisor


def test_float_data_are_left_alone() -> None:
    x = torch.randn(60, 5, dtype=torch.float64)
    data = load(toy(train_images=x, test_images=x))
    assert (data.shape, data.mean, data.std) == ((5,), (0.0,), (1.0,))
    assert isinstance(data.train.images, torch.Tensor) and data.train.images.dtype == torch.float32
    with pytest.raises(OptionError, match=r"resize=4.*not images"):
        load(toy(train_images=x, test_images=x), DataOptions(validation=0, resize=4))


def test_resize() -> None:
    images = torch.full((60, 3, 8, 12), 7, dtype=torch.uint8)
    data = load(toy(train_images=images, test_images=images), DataOptions(resize=4))
    assert data.shape == (3, 4, 4) and isinstance(data.test.images, torch.Tensor)
    assert data.test.images.dtype == torch.uint8 and bool((data.test.images == 7).all())


def test_square_scales_the_shorter_side_then_crops_the_centre() -> None:
    wide = torch.zeros(1, 8, 16, dtype=torch.uint8)
    wide[:, :, 4:12] = 255
    assert bool((square(wide, 8) == 255).all())
    assert square(wide, 4).float().mean() > 200  # bilinear, so the cut edges are not quite white


def test_fingerprint_sees_images_labels_and_splits() -> None:
    raw = toy()
    base = load(raw).sha256
    brighter = toy(train_images=raw.train_images.clone())  # type: ignore[union-attr]
    brighter.train_images[0, 0, 0, 0] += 1  # type: ignore[index]
    swapped = toy(test_labels=np.arange(60)[::-1] % 3)
    others = [load(brighter), load(swapped), load(raw, DataOptions()), load(raw, DataOptions(split_seed=1))]
    assert len({base, *(other.sha256 for other in others)}) == 5


def test_bundle_and_batches_move_to_a_device() -> None:
    data = load(toy(), DataOptions())
    assert data.validation is not None
    moved = data.to("meta")
    assert moved.validation is not None
    for part in (moved.train, moved.validation, moved.test):
        assert part.labels.device.type == "meta"
        assert isinstance(part.images, torch.Tensor) and part.images.device.type == "meta"
    assert data.train.labels.device.type == "cpu"


def test_batches_in_memory() -> None:
    split = load(toy()).train
    assert isinstance(split.images, torch.Tensor)
    assert split.in_memory and split.nbytes == 60 * (192 + 8)
    order = [torch.tensor([3, 1]), torch.tensor([59])]
    for (images, labels, index), wanted in zip(split.batches(order), order, strict=True):
        assert torch.equal(index, wanted)
        assert torch.equal(images, split.images[wanted]) and torch.equal(labels, split.labels[wanted])


# --- folders ---------------------------------------------------------------------------------------------


def folder_tree(root: Path, parts: tuple[str, ...] = ("train", "val"), count: int = 4, **kwargs: Any) -> Path:
    for i, part in enumerate(parts):
        for j, name in enumerate(("cat", "dog")):
            write_images(root / part / name, count, seed=10 * i + j, **kwargs)
    return root


def load_folder(root: Path, options: DataOptions = EVERYTHING) -> DataBundle:
    return load_data(f"folder:{root}", sources.folder(str(root)), options, Path())


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
    assert load_folder(tmp_path).shape == (3, 224, 224)
    assert load_folder(tmp_path, DataOptions(validation=0, resize=6)).shape == (3, 6, 6)
    folder_tree(tmp_path / "squares")
    write_images(tmp_path / "squares" / "train" / "cat", 2, (12, 12))
    assert load_folder(tmp_path / "squares").shape == (3, 224, 224)


@pytest.fixture
def always_lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "MEMORY_LIMIT", 0)


@pytest.mark.parametrize("workers_from", [1, 1000])
def test_lazy_folder_equals_the_decoded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers_from: int) -> None:
    folder_tree(tmp_path, count=10)
    options = DataOptions(validation=0.2, train_size=8)
    eager = load_folder(tmp_path, options)
    monkeypatch.setattr(bundle_module, "MEMORY_LIMIT", 0)
    monkeypatch.setattr(bundle_module, "_WORKERS_FROM", workers_from)
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


@pytest.mark.parametrize("workers_from", [1, 1000])
def test_broken_image_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers_from: int) -> None:
    folder_tree(tmp_path)
    broken = tmp_path / "train" / "dog" / "1.png"
    broken.write_bytes(broken.read_bytes()[:100])  # the header is intact
    monkeypatch.setattr(bundle_module, "_WORKERS_FROM", workers_from)
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
    with pytest.raises(DataError, match="no valid file for the classes eel"):
        load_folder(tmp_path)


# --- npz -------------------------------------------------------------------------------------------------


def test_npz_round_trip(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "mine.npz")
    data = load_data("npz", sources.npz(str(path)), EVERYTHING, Path())
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
    data = load_data("npz", sources.npz(str(path)), EVERYTHING, Path())
    assert data.shape == wanted
    assert isinstance(data.train.images, torch.Tensor)
    assert data.train.images.dtype == (torch.uint8 if dtype is np.uint8 else torch.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "has no y_test: expected x_train, y_train, x_test, y_test"),
        ({"x_train": np.zeros((6, 4, 4, 3), dtype=np.int32)}, "x_train is int32"),
        ({"x_train": np.zeros((6, 3, 8, 8), dtype=np.uint8)}, "channels last"),
        ({"x_train": np.zeros((6, 5), dtype=np.uint8)}, "samples are uint8"),
        ({"x_train": np.array([object()] * 6)}, "is corrupt.*no archive of plain arrays"),
    ],
)
def test_npz_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_npz(tmp_path / "mine.npz", **changes)
    with pytest.raises(DataError, match=message):
        load_data("npz", sources.npz(str(path)), EVERYTHING, Path())


def test_npz_missing_or_corrupt(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        sources.npz(str(tmp_path / "no.npz"))(tmp_path, False)
    path = write_npz(tmp_path / "mine.npz")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match=r"mine.npz is corrupt .*: delete it"):
        sources.npz(str(path))(tmp_path, False)


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
    make: Callable[[TeacherStudent], RawData] = partial(sources.teacher_student, root=Path(), download=False)
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
    raw = sources.teacher_student(config, Path(), False)
    assert sorted(np.bincount(raw.train_labels)) == [71, 71, 71, 71, 72, 72, 72]
    assert (np.bincount(raw.test_labels) == 10).all()
    free = sources.teacher_student(replace(config, balanced=False), Path(), False)
    assert len(set(np.bincount(free.train_labels))) > 2
    hard = TeacherStudent(num_classes=200, dim=1, depth=1, samples=200, test_samples=10, balanced=True)
    with pytest.raises(DataError, match="balanced=false"):
        sources.teacher_student(hard, Path(), False)


def test_linear_teacher_is_linear() -> None:
    # With one weight layer, scaling an input cannot change its class.
    from sklearn.linear_model import LogisticRegression

    raw = sources.teacher_student(TeacherStudent(3, 5, depth=1, samples=2000), Path(), False)
    assert (
        LogisticRegression(max_iter=2000)
        .fit(raw.train_images, raw.train_labels)
        .score(raw.test_images, raw.test_labels)
        > 0.97
    )


NAMED: dict[str, Loader] = {
    name: getattr(sources, name)
    for name in (
        *("mnist", "fashion_mnist", "kmnist", "svhn", "cifar10", "cifar100", "cifar100_coarse", "stl10"),
        *("imagenette", "tiny_imagenet", "imagenet100"),
    )
} | {"pathmnist": sources.medmnist("pathmnist")}


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
        sources.tiny_imagenet(tmp_path / "other", True)
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(sources, "_TINY_IMAGENET_MD5", md5)
    data = load_data("tiny_imagenet", sources.tiny_imagenet, EVERYTHING, tmp_path / "data")
    assert data.class_names == ("n01", "n02") and data.shape == (3, 64, 64)
    assert data.train.labels.tolist() == [0] * 3 + [1] * 3 and data.test.labels.tolist() == [1, 0]
    pixels = np.asarray(Image.open(source / "val" / "images" / "1.png"))
    assert np.array_equal(data.test.images[0].permute(1, 2, 0), pixels)
    (tmp_path / "data" / "tiny-imagenet-200" / "val" / "val_annotations.txt").write_text("nonsense")
    with pytest.raises(DataError, match="'tiny_imagenet' is corrupt"):
        sources.tiny_imagenet(tmp_path / "data", True)


def test_imagenette(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for i, wnid in enumerate(("n03888257", "n01440764")):
            write_images(tmp_path / "imagenette2-160" / part / wnid, 2, (20, 16), seed=i)
            for path in (tmp_path / "imagenette2-160" / part / wnid).iterdir():
                path.rename(path.with_suffix(".jpeg"))
    data = load_data("imagenette", sources.imagenette, EVERYTHING, tmp_path, download=False)
    assert data.class_names == ("tench", "parachute") and data.shape == (3, 160, 160)
    assert len(data.train) == len(data.test) == 4
    for path in (tmp_path / "imagenette2-160" / "train" / "n01440764").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"'imagenette' is corrupt .*classes n01440764.*delete"):
        sources.imagenette(tmp_path, True)


@pytest.mark.parametrize("base", ["imagenet100", "imagenet"])
def test_imagenet100(tmp_path: Path, base: str) -> None:
    wnids = (Path(sources.__file__).parent / "imagenet100.txt").read_text().split()
    assert len(set(wnids)) == 100
    for part in ("train", "val"):
        for wnid in [*wnids, "n99999999"]:
            write_images(tmp_path / base / part / wnid, 1)
    raw = sources.imagenet100(tmp_path, False)
    assert raw.class_names == tuple(sorted(wnids))
    assert isinstance(raw.train_images, FolderImages)
    assert len(raw.train_images) == 100 and raw.train_images.side == 224
    (tmp_path / base / "train" / wnids[0] / "0.png").unlink()
    with pytest.raises(DataError, match=wnids[0]):
        sources.imagenet100(tmp_path, False)


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


# --- augmentation ----------------------------------------------------------------------------------------

IMAGES = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(3, 9), st.integers(3, 9))
AUGMENT = settings(max_examples=30, deadline=None)


def distinct(shape: tuple[int, ...]) -> torch.Tensor:
    """Images in which every pixel has its own value, none of them zero."""
    return torch.arange(1, 1 + int(np.prod(shape))).reshape(shape)


@AUGMENT
@given(
    shape=IMAGES,
    padding=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_crop_is_a_window_of_the_padded_image(shape: tuple[int, ...], padding: int, seed: int) -> None:
    x = distinct(shape)
    out = random_crop(x, padding, generator(seed))
    assert out.shape == x.shape and out.dtype == x.dtype
    assert torch.equal(out, random_crop(x, padding, generator(seed)))
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = torch.from_numpy(np.pad(x.numpy(), sides, mode="reflect"))
    windows = padded.unfold(2, shape[2], 1).unfold(3, shape[3], 1).permute(0, 2, 3, 1, 4, 5).flatten(1, 2)
    assert (windows == out[:, None]).flatten(2).all(2).any(1).all()


@AUGMENT
@given(shape=IMAGES, seed=st.integers(0, 99))
def test_flip_is_per_sample_and_its_own_inverse(shape: tuple[int, ...], seed: int) -> None:
    x = distinct(shape)
    out = random_flip(x, generator(seed))
    assert out.shape == x.shape and out.dtype == x.dtype
    for image, flipped in zip(x, out, strict=True):
        assert torch.equal(flipped, image) or torch.equal(flipped, image.flip(2))
    assert torch.equal(random_flip(out, generator(seed)), x)


@AUGMENT
@given(shape=IMAGES, size=st.integers(1, 3), seed=st.integers(0, 99))
def test_cutout_removes_exactly_a_square(shape: tuple[int, ...], size: int, seed: int) -> None:
    x = distinct(shape)
    out = cutout(x, size, generator(seed))
    assert torch.equal(out, cutout(x, size, generator(seed))) and out.dtype == x.dtype
    assert torch.equal(out[out != 0], x[out != 0])
    for image in out == 0:
        assert torch.equal(image, image[:1].expand_as(image))
        rows, columns = image[0].any(1).nonzero().flatten(), image[0].any(0).nonzero().flatten()
        assert len(rows) == len(columns) == size and int(image[0].sum()) == size * size
        assert int(rows[-1] - rows[0]) == int(columns[-1] - columns[0]) == size - 1


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("step", ["crop", "flip", "cutout"])
def test_every_sample_has_its_own_draw(step: str, dtype: torch.dtype) -> None:
    x = (distinct((1, 1, 16, 16)) % 251 + 1).to(dtype).expand(64, 3, 16, 16)
    out = Augment((step,))(x, generator(1))
    assert out.dtype == dtype and out.shape == x.shape
    draws = {tuple(image.flatten().tolist()) for image in out}
    assert len(draws) == 2 if step == "flip" else len(draws) > 15
    if step == "cutout":
        assert int((out[0, 0] == 0).sum()) == 16  # a quarter of the side


def test_augment_runs_the_steps_in_order() -> None:
    x = distinct((8, 1, 16, 24))
    first, second = generator(4), generator(4)
    expected = random_flip(random_crop(x, 2, second), second)
    assert torch.equal(Augment(("crop", "flip"))(x, first), expected)
    assert Augment(())(x, first) is x


def test_augment_refuses() -> None:
    with pytest.raises(OptionError, match=r"'flipp'.*did you mean 'flip'"):
        Augment(("flipp",))
    features = torch.zeros(4, 5)
    for call in (
        lambda: Augment(("flip",))(features, generator()),
        lambda: random_flip(features, generator()),
        lambda: random_crop(features, 1, generator()),
        lambda: cutout(features, 1, generator()),
    ):
        with pytest.raises(OptionError, match=r"needs images .*\(4, 5\)"):
            call()
    images = torch.zeros(2, 1, 4, 4)
    with pytest.raises(OptionError, match="padding=4: expected 0 to 3"):
        random_crop(images, 4, generator())
    with pytest.raises(OptionError, match="padding=-1"):
        random_crop(images, -1, generator())
    for size in (0, 5):
        with pytest.raises(OptionError, match=f"size={size}: expected 1 to 4"):
            cutout(images, size, generator())


def test_split_subset_keeps_pairs() -> None:
    split = Split(torch.arange(5.0)[:, None], torch.arange(5))
    part = split.subset(torch.tensor([4, 0]))
    assert len(part) == 2 and part.labels.tolist() == [4, 0]
    assert torch.equal(part.images[:, 0].long(), part.labels)  # type: ignore[index]


def test_a_classs_only_sample_stays_in_the_training_part() -> None:
    """A teacher of many classes leaves some almost empty; that must not end the run."""
    config = TeacherStudent(num_classes=50, samples=1_000, test_samples=200)
    bundle = load_data("teacher_student", partial(sources.teacher_student, config), DataOptions(), Path("."))
    assert bundle.num_classes == 50
    assert bundle.validation is not None and len(bundle.validation) + len(bundle.train) == 1_000
    counts = torch.cat([bundle.train.labels, bundle.validation.labels]).bincount(minlength=50)
    once = (counts == 1).nonzero().flatten()
    assert len(once) > 0
    assert not torch.isin(bundle.validation.labels, once).any()


def test_the_validation_part_can_stand_in_for_the_test_part() -> None:
    config = TeacherStudent(samples=200, test_samples=50)
    loader = partial(sources.teacher_student, config)
    bundle = load_data("teacher_student", loader, DataOptions(test="validation"), Path("."))
    assert bundle.validation is not None and torch.equal(bundle.test.images, bundle.validation.images)
    assert "validation part in the test part's place" in bundle.split
    with pytest.raises(OptionError, match="expected test, for with validation=0"):
        DataOptions(test="validation", validation=0)


# ------------------------------------------------------------------ other classes for the same images


def test_some_classes_are_kept_and_fewer_are_a_part_of_more() -> None:
    everything = load(toy(n=120, classes=6))
    names = [load(toy(n=120, classes=6), replace(EVERYTHING, classes=k)).class_names for k in (2, 4, 6)]
    assert set(names[0]) < set(names[1]) < set(names[2]) == set(everything.class_names)
    data = load(toy(n=120, classes=6), replace(EVERYTHING, classes=4))
    assert data.num_classes == 4 and "4 of 6 classes" in data.split
    for k, name in enumerate(data.class_names):
        old = everything.train.labels == everything.class_names.index(name)
        assert torch.equal(data.train.images[data.train.labels == k], everything.train.images[old])
    assert load(toy(n=120, classes=6), replace(EVERYTHING, classes=4, split_seed=1)).class_names != data.class_names


def test_groups_merge_whole_classes_evenly() -> None:
    everything = load(toy(n=140, classes=7))
    data = load(toy(n=140, classes=7), replace(EVERYTHING, groups=3))
    assert data.num_classes == 3
    assert torch.equal(data.train.images, everything.train.images)
    pairs = {(int(a), int(b)) for a, b in zip(everything.train.labels, data.train.labels, strict=True)}
    assert len(pairs) == 7  # every class is in one group
    assert sorted(sum(b == g for _, b in pairs) for g in range(3)) == [2, 2, 3]
    other = load(toy(n=140, classes=7), replace(EVERYTHING, groups=3, groups_seed=1))
    assert not torch.equal(other.train.labels, data.train.labels)


@pytest.mark.parametrize("groups", [2, "superclasses"])
def test_every_part_has_the_same_images_whatever_the_classes_are_merged_into(groups: Any) -> None:
    """Parts are cut by the classes as they are: other labels shall be the only difference."""
    raw = RawData(*_six_classes(), *_six_classes(), superclasses=(0, 1, 1, 0, 2, 2), superclass_names=("a", "b", "c"))
    options = DataOptions(validation=0.2, train_size=60, test_size=40)
    fine = load_data("toy", lambda root, download: raw, options, Path())
    merged = load_data("toy", lambda root, download: raw, replace(options, groups=groups), Path())
    for part in ("train", "validation", "test"):
        one, other = getattr(fine, part), getattr(merged, part)
        assert torch.equal(one.images, other.images)
        pairs = {(int(a), int(b)) for a, b in zip(one.labels, other.labels, strict=True)}
        assert len(pairs) == 6
        if groups == "superclasses":
            assert pairs == set(enumerate(raw.superclasses)) and merged.class_names == ("a", "b", "c")


def _six_classes() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.arange(120, dtype=torch.float32).view(120, 1), torch.arange(120) % 6


def test_outputs_without_samples() -> None:
    data = load(toy(), replace(EVERYTHING, outputs=10))
    assert data.num_classes == len(data.class_names) == 10
    assert int(data.train.labels.max()) == 2
    assert torch.equal(data.train.labels, load(toy()).train.labels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 4}, "classes=4: toy has 3 classes"),
        ({"classes": 2, "groups": 3}, "groups=3: toy has 2 classes"),
        ({"outputs": 2}, "outputs=2: toy has 3 classes"),
        ({"groups": "superclasses"}, "groups=superclasses: toy has none"),
    ],
)
def test_other_classes_refuse(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        load(toy(), replace(EVERYTHING, **changes))
