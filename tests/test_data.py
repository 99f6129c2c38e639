"""Data sets: options, checks, splits, statistics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_sets import load, toy
from hypothesis import given, settings
from hypothesis import strategies as st

from ffzoo.data.bundle import Preprocess, RawData
from ffzoo.data.folders import square
from ffzoo.data.options import DataOptions, TeacherStudent, default_root
from ffzoo.errors import DataError, OptionError

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
