"""Augmentation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from data_sets import generator
from hypothesis import given, settings
from hypothesis import strategies as st

from ffzoo.data import synthetic
from ffzoo.data.augment import Augment, cutout, random_crop, random_flip
from ffzoo.data.bundle import Split, load_data
from ffzoo.data.options import DataOptions, TeacherStudent
from ffzoo.errors import OptionError

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
    bundle = load_data("teacher_student", partial(synthetic.teacher_student, config), DataOptions(), Path("."))
    assert bundle.num_classes == 50
    assert bundle.validation is not None and len(bundle.validation) + len(bundle.train) == 1_000
    counts = torch.cat([bundle.train.labels, bundle.validation.labels]).bincount(minlength=50)
    once = (counts == 1).nonzero().flatten()
    assert len(once) > 0
    assert not torch.isin(bundle.validation.labels, once).any()


def test_the_validation_part_can_stand_in_for_the_test_part() -> None:
    config = TeacherStudent(samples=200, test_samples=50)
    loader = partial(synthetic.teacher_student, config)
    bundle = load_data("teacher_student", loader, DataOptions(test="validation"), Path("."))
    assert bundle.validation is not None and torch.equal(bundle.test.images, bundle.validation.images)
    assert "validation part in the test part's place" in bundle.split
    with pytest.raises(OptionError, match=r"data\.test=validation needs data\.validation > 0"):
        DataOptions(test="validation", validation=0)
