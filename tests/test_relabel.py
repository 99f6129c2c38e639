"""Other classes for the same images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from data_sets import EVERYTHING, load, toy

from ffzoo.data.bundle import RawData, load_data
from ffzoo.data.options import DataOptions
from ffzoo.errors import OptionError

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
