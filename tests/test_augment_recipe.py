"""Flips that alternate from epoch to epoch, the width of the crops, predictions averaged over a mirror image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor, nn

import ffzoo
from ffzoo.algorithms.options import FitOptions
from ffzoo.data import sources
from ffzoo.data.augment import Augment, alternating_flip, random_crop
from ffzoo.data.bundle import Preprocess, Split, load_data
from ffzoo.data.options import DataOptions
from ffzoo.errors import OptionError
from ffzoo.files import read_json
from ffzoo.run.configuration import read
from ffzoo.run.evaluate import resume
from ffzoo.run.results import Evaluation
from ffzoo.training.fit import Part, accuracies, accuracy, averaged

FLIPPED = DataOptions(test_flip=True)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def distinct(*shape: int) -> Tensor:
    """Images in which every pixel has its own value."""
    return torch.arange(1, 1 + int(np.prod(shape))).reshape(shape)


def mirrored(x: Tensor, out: Tensor) -> Tensor:
    """Which images of ``out`` are the mirror images of those of ``x``; the others must be the same."""
    flipped = (out == x.flip(3)).flatten(1).all(1)
    assert (flipped | (out == x).flatten(1).all(1)).all()
    return flipped


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), epoch=st.integers(0, 500), first=st.integers(0, 2**31 - 2000))
def test_every_image_is_mirrored_in_every_second_epoch(seed: int, epoch: int, first: int) -> None:
    index = torch.arange(first, first + 1000)
    x = distinct(1000, 1, 2, 3)
    now, later, again = (mirrored(x, alternating_flip(x, index, epoch + e, seed)) for e in (0, 1, 2))
    assert torch.equal(later, ~now) and torch.equal(again, now)
    assert 400 < int(now.sum()) < 600
    # Neighbours are as good as independent.
    assert 400 < int((now[1:] == now[:-1]).sum()) < 600


def test_seeds_choose_other_halves() -> None:
    x, index = distinct(1000, 1, 2, 3), torch.arange(1000)
    halves = [mirrored(x, alternating_flip(x, index, 0, seed)) for seed in range(4)]
    for i in range(4):
        for j in range(i):
            assert 400 < int((halves[i] == halves[j]).sum()) < 600


def test_the_choice_belongs_to_the_sample_not_to_the_batch() -> None:
    x, index = distinct(50, 2, 3, 4), torch.arange(50)
    order = torch.randperm(50, generator=generator())
    augment = Augment(("alternating_flip",), seed=3)
    draws = generator(1)
    before = draws.get_state()
    whole, part = augment(x, draws, index, 5), augment(x[order], draws, index[order], 5)
    assert torch.equal(part, whole[order])
    assert torch.equal(draws.get_state(), before)  # nothing is drawn
    assert whole.dtype == x.dtype
    pixels = (x % 251).to(torch.uint8)
    assert augment(pixels, draws, index, 0).dtype == torch.uint8


def test_the_padding_of_a_crop_can_be_chosen() -> None:
    x = distinct(40, 1, 16, 24)
    assert torch.equal(Augment(("crop",), crop_padding=5)(x, generator(2)), random_crop(x, 5, generator(2)))
    assert torch.equal(Augment(("crop",))(x, generator(2)), random_crop(x, 2, generator(2)))
    with pytest.raises(OptionError, match="crop padding=16: expected 0 to 15"):
        Augment(("crop",), crop_padding=16)(x, generator())


def test_steps_run_in_order() -> None:
    x, index = distinct(8, 1, 16, 16), torch.arange(8)
    out = Augment(("crop", "alternating_flip"), 3, seed=1)(x, generator(4), index, 2)
    assert torch.equal(out, alternating_flip(random_crop(x, 3, generator(4)), index, 2, 1))


def test_refusals() -> None:
    with pytest.raises(OptionError, match="needs the samples' index"):
        Augment(("alternating_flip",))(distinct(2, 1, 4, 4), generator())
    with pytest.raises(OptionError, match=r"needs images .*\(4, 5\)"):
        alternating_flip(torch.zeros(4, 5), torch.arange(4), 0, 0)
    with pytest.raises(OptionError, match="crop_padding is -1"):
        FitOptions(crop_padding=-1)


# --- mirror images at test time ----------------------------------------------------------------------------

SMALL = {"data.train_size": 120, "data.test_size": 60, "backbone.width": 8, "backbone.depth": 2}


class Sided(nn.Module):
    """An algorithm that predicts from the left half of an image alone; its first block has no scores."""

    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None]]:
        left = x[..., : x.shape[-1] // 2].flatten(1).sum(1)
        z = torch.stack([left, -left], 1)
        return z, [None, 3 * z]

    def predict(self, x: Tensor) -> Tensor:
        return self.scores(x)[0]


def test_scores_are_averaged_over_an_image_and_its_mirror_image() -> None:
    x = torch.randn(9, 2, 3, 4, generator=generator())
    rule: Any = Sided()
    assert torch.equal(averaged(rule.predict, x, DataOptions()), rule.predict(x))
    both = averaged(rule.predict, x, FLIPPED)
    torch.testing.assert_close(both, (rule.predict(x) + rule.predict(x.flip(3))) / 2)
    torch.testing.assert_close(averaged(rule.predict, x.flip(3), FLIPPED), both)
    scores, blocks = averaged(rule.scores, x, FLIPPED)
    torch.testing.assert_close(scores, both)
    assert blocks[0] is None
    torch.testing.assert_close(blocks[1], 3 * both)


def test_accuracies_count_averaged_predictions() -> None:
    images = torch.randn(40, 1, 4, 6, generator=generator())
    rule: Any = Sided()
    labels = (images.sum((1, 2, 3)) < 0).long()  # what both halves together say
    part = Part(Split(images, labels), Preprocess((0.0,), (1.0,)), 16)
    assert accuracy(rule, part, FLIPPED) == 1.0 > accuracy(rule, part)
    assert accuracies(rule, part, FLIPPED) == (1.0, [None, 1.0])
    assert accuracies(rule, part)[0] == accuracy(rule, part)


def test_a_loaded_model_predicts_what_was_measured(tmp_path: Path) -> None:
    settings = SMALL | {"data.test_flip": True}
    (result,) = ffzoo.evaluate("dtg_ff", "digits", backbone="cnn", epochs=1, settings=settings, out=tmp_path / "x").runs
    data = load_data("digits", sources.digits, DataOptions(train_size=120, test_size=60), tmp_path)
    model = ffzoo.load(tmp_path / "x")
    assert isinstance(data.test.images, Tensor)
    right = model.predict(data.test.images) == data.test.labels
    assert float(right.float().mean()) == pytest.approx(result.test_accuracy)
    torch.testing.assert_close(model(data.test.images.flip(3)), model(data.test.images))
    model.data_options = DataOptions()
    assert not torch.allclose(model(data.test.images.flip(3)), model(data.test.images))


def test_scores_are_averaged_over_shifts_and_their_mirror_images() -> None:
    x = torch.arange(12.0).view(1, 1, 3, 4)
    seen: list[Tensor] = []

    def read(view: Tensor) -> Tensor:
        seen.append(view[0, 0])
        return view.flatten(1)[:, :2]

    both = averaged(read, x, DataOptions(test_flip=True, test_shift=1))
    assert seen[0].tolist() == x[0, 0].tolist()
    assert seen[1].tolist() == [[5, 4, 5, 6], [1, 0, 1, 2], [5, 4, 5, 6]]  # down and to the right
    assert seen[2].tolist() == [[5, 6, 7, 6], [9, 10, 11, 10], [5, 6, 7, 6]]
    assert [view.tolist() for view in seen[3:]] == [view.flip(1).tolist() for view in seen[:3]]
    torch.testing.assert_close(both, torch.stack([view.flatten()[:2] for view in seen]).mean(0, keepdim=True))
    seen.clear()
    averaged(read, x, DataOptions(test_shift=2))
    assert len(seen) == 3


@pytest.mark.parametrize("option", ["test_flip", "test_shift"])
def test_views_of_what_is_no_image_are_refused(option: str) -> None:
    with pytest.raises(OptionError, match=rf"{option}: teacher_student has samples of shape \(64,\), not images"):
        ffzoo.evaluate(
            "dtg_ff", "teacher_student", epochs=1, settings={f"data.{option}": 1 if "shift" in option else True}
        )


def test_a_shift_beyond_the_image_is_refused() -> None:
    with pytest.raises(OptionError, match=r"test_shift=8: expected less than the sides of digits, 8x8"):
        ffzoo.evaluate("dtg_ff", "digits", epochs=1, settings={"data.test_shift": 8})
    with pytest.raises(OptionError, match="test_shift is -1"):
        DataOptions(test_shift=-1)


def test_the_recipe_of_a_run_reaches_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed, padding, sample index and epoch arrive where the images are changed."""
    seen: list[tuple[int, int, Tensor, int]] = []
    whole = Augment.__call__

    def spy(self: Augment, x: Tensor, draws: torch.Generator, index: Tensor, epoch: int) -> Tensor:
        seen.append((self.crop_padding, self.seed, index, epoch))
        return whole(self, x, draws, index, epoch)

    monkeypatch.setattr(Augment, "__call__", spy)
    settings = SMALL | {"fit.augment": "crop,alternating_flip", "fit.crop_padding": 1, "fit.batch_size": 60}
    ffzoo.evaluate("dtg_ff", "digits", backbone="cnn", epochs=2, seeds=5, settings=settings)
    assert [s[:2] for s in seen] == [(1, 5)] * 4 and [s[3] for s in seen] == [0, 0, 1, 1]
    assert sorted(torch.cat([s[2] for s in seen[:2]]).tolist()) == list(range(120))


def test_a_short_recipe_resumes_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of fast_cifar, small: flips, stem, running statistics and Muon go on as they were."""
    said, settings = read("fast_cifar")
    settings |= {"backbone.widths": "4,4,6", "data.train_size": 120, "data.test_size": 40}

    def train(folder: Path) -> Evaluation:
        options: dict[str, Any] = {"backbone": said["backbone"], "precision": "bf16", "epochs": 3, "batch_size": 40}
        return ffzoo.evaluate("dtg_ff", "digits", settings=settings, out=folder, **options)

    whole = train(tmp_path / "whole")
    batches = 0
    augment = Augment.__call__

    def interrupted(self: Augment, *args: Any) -> Tensor:
        nonlocal batches
        batches += 1
        if batches > 4:  # in the second of three epochs
            raise KeyboardInterrupt
        return augment(self, *args)

    monkeypatch.setattr(Augment, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut")
    monkeypatch.undo()
    assert read_json(tmp_path / "cut" / "state.json")["position"]["fit"]["epoch"] == 1
    resumed = resume(tmp_path / "cut")
    assert resumed.runs[0].test_accuracy == whole.runs[0].test_accuracy
    first, second = (load_file(tmp_path / n / "checkpoint.safetensors") for n in ("whole", "cut"))
    assert first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)
    stem = first["model.backbone.blocks.0.stem.weight"]
    assert not torch.equal(stem.flatten(1)[:4], torch.eye(4))
