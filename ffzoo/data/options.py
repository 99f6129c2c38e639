"""What a user can choose about data; importing this module does not import torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ffzoo.errors import OptionError, nearest

AUGMENTATIONS: tuple[str, ...] = ("crop", "flip", "cutout")
"""Names of the augmentation steps of :class:`ffzoo.data.augment.Augment`."""

MEDMNIST: tuple[str, ...] = (
    "pathmnist",
    "dermamnist",
    "octmnist",
    "pneumoniamnist",
    "breastmnist",
    "bloodmnist",
    "tissuemnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
)
"""The two-dimensional MedMNIST subsets with one class label an image."""


def _whole(owner: str, name: str, value: int, low: int, high: int | None = None) -> None:
    """Raise OptionError unless ``value`` is an int in ``low..high`` (no upper bound when ``None``)."""
    # bool is an int to Python, but train_size=True is a mistake.
    good = isinstance(value, int) and not isinstance(value, bool)
    if not good or value < low or (high is not None and value > high):
        wanted = f"an integer of at least {low}" if high is None else f"an integer from {low} to {high}"
        raise OptionError(f"{owner} {name}={value!r}: expected {wanted}")


def _fraction(owner: str, name: str, value: float, closed: bool) -> None:
    """Raise OptionError unless ``value`` is a number in [0, 1), or in [0, 1] when ``closed``."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value <= 1 or (value == 1 and not closed):
        wanted = "a number from 0 to 1" if closed else "a number from 0 to below 1"
        raise OptionError(f"{owner} {name}={value!r}: expected {wanted}")


@dataclass(frozen=True)
class DataOptions:
    """How a data set is cut and scaled before training.

    Attributes:
        validation: fraction of the training part held out, stratified; 0 trains on everything.
        split_seed: seed of the validation split and of the subsets.
        train_size: images kept of the training part, stratified, after the validation split;
            ``None`` keeps all.
        test_size: images kept of the test part, stratified; ``None`` keeps all.
        resize: side in pixels of the square images, bilinear and antialiased; ``None`` keeps the set's own.

    Raises:
        OptionError: a value has the wrong type or is out of range.
    """

    validation: float = 0.1
    split_seed: int = 0
    train_size: int | None = None
    test_size: int | None = None
    resize: int | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        _fraction("data option", "validation", self.validation, closed=False)
        _whole("data option", "split_seed", self.split_seed, 0, 2**32 - 1)
        for name in ("train_size", "test_size", "resize"):
            value = getattr(self, name)
            if value is not None:
                _whole("data option", name, value, 1)


@dataclass(frozen=True)
class TeacherStudent:
    """A synthetic set: Gaussian inputs labelled by a fixed random network.

    Attributes:
        num_classes: classes, the outputs of the teacher.
        dim: features of an input, each drawn from N(0, 1).
        hidden: width of the teacher's hidden layers.
        depth: weight layers of the teacher, ``dim-hidden-...-num_classes`` with ReLU between them.
        samples: training samples.
        test_samples: test samples.
        noise: fraction of the training labels replaced by another class; the test labels stay clean.
        teacher_seed: seed of the teacher, the inputs and the noise.

    Raises:
        OptionError: a value has the wrong type or is out of range.
    """

    num_classes: int = 10
    dim: int = 64
    hidden: int = 128
    depth: int = 2
    samples: int = 10_000
    test_samples: int = 2_000
    noise: float = 0.0
    teacher_seed: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        _whole("teacher_student option", "num_classes", self.num_classes, 2)
        for name in ("dim", "hidden", "depth", "samples", "test_samples"):
            _whole("teacher_student option", name, getattr(self, name), 1)
        _fraction("teacher_student option", "noise", self.noise, closed=True)
        _whole("teacher_student option", "teacher_seed", self.teacher_seed, 0)


def check_augment(steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``steps`` unchanged when every name is known.

    Raises:
        OptionError: a name is not one of :data:`AUGMENTATIONS`.
    """
    for step in steps:
        if step not in AUGMENTATIONS:
            raise OptionError(f"unknown augmentation {step!r}: {nearest(step, AUGMENTATIONS)}")
    return steps


def default_root() -> Path:
    """The folder data sets are read from and downloaded to.

    Returns:
        The folder the environment variable ``FFZOO_DATA`` names, or ``data`` in the platform's cache folder.
    """
    chosen = os.environ.get("FFZOO_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("ffzoo") / "data"
