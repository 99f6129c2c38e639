"""What a user can choose about data; importing this module does not import torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Interval

from ffzoo.errors import OptionError, nearest
from ffzoo.registry.options import options, require

AUGMENTATIONS: tuple[str, ...] = ("crop", "flip", "alternating_flip", "cutout")
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


@options
class DataOptions:
    """How a data set is cut and scaled before training.

    Attributes:
        validation: fraction of the training set held out, stratified; 0 trains on everything. Data that come with a
            validation set of their own keep that one, whatever the fraction; 0 trains on it too.
        split_seed: seed of the validation split, of the subsets and of the classes that are kept.
        classes: classes kept, drawn at random: of one seed fewer are a part of more; ``None`` keeps all.
        groups: merge the classes at random into as many groups of equal size (or one more), or into the data set's
            ``superclasses``; they become the classes, and the images of each part stay the same.
        groups_seed: seed of the random groups.
        outputs: pretend that there are as many classes, those beyond the real ones without a sample.
        train_size: images kept of the training set, stratified, after the validation split;
            ``None`` keeps all.
        test_size: images kept of the test set, stratified; ``None`` keeps all.
        resize: side in pixels of the square images, bilinear and antialiased; ``None`` keeps the set's own.
        channels: 3 reads images in colour, 1 in grey; ``None`` leaves them as they are, and reads a folder in grey if
            all its images are grey.
        oblong: how images that are no squares become squares: ``crop`` scales the shorter side and cuts out the centre,
            ``squeeze`` scales both sides, ``pad`` scales the longer side and adds black borders.
        workers: threads that decode image files; 0 decodes them between the steps; ``None`` takes up to 4.
        test: ``"validation"`` puts the validation set in the place of the test set: settings are chosen so, without
            reading what they will be judged by.
        test_flip: average the scores of an image and of its mirror image wherever accuracy is measured, and in
            ``predict`` of the trained model; a fusion still chooses on unflipped images.
        test_shift: average over an image moved by that many pixels towards two opposite corners as well, its border
            filled with a mirror image; each with its own mirror image under ``test_flip``.

    Raises:
        OptionError: a value has the wrong type or is out of range.
    """

    validation: Annotated[float, Interval(ge=0, lt=1)] = 0.1
    split_seed: int = 0
    classes: int | None = None
    groups: int | Literal["superclasses"] | None = None
    groups_seed: int = 0
    outputs: int | None = None
    train_size: int | None = None
    test_size: int | None = None
    resize: int | None = None
    channels: Literal[1, 3] | None = None
    oblong: Literal["crop", "squeeze", "pad"] = "crop"
    workers: Annotated[int, Ge(0)] | None = None
    test: Literal["test", "validation"] = "test"
    test_flip: bool = False
    test_shift: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        """Check every value."""
        if self.test == "validation" and not self.validation:
            raise OptionError("data.test=validation needs data.validation > 0")
        for name in ("split_seed", "groups_seed"):
            value = getattr(self, name)
            require(0 <= value < 2**32, name, value, "at least 0 and below 2**32")
        for name in ("train_size", "test_size", "resize"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, value, "at least 1, or none")
        for name in ("classes", "groups", "outputs"):
            value = getattr(self, name)
            words = "at least 2, or none" if name != "groups" else "at least 2, superclasses or none"
            require(value is None or value == "superclasses" or value >= 2, name, value, words)


AS_THEY_ARE = DataOptions()
"""No option changed: predictions are of the images themselves."""


@options
class TeacherStudent:
    """A synthetic set: Gaussian inputs labelled by a fixed random network.

    Attributes:
        num_classes: classes, the outputs of the teacher.
        dim: features of an input, each drawn from N(0, 1).
        hidden: width of the teacher's hidden layers.
        depth: weight layers of the teacher, ``dim-hidden-...-num_classes`` with ReLU between them.
        samples: training samples.
        test_samples: test samples.
        balanced: draw inputs until every class is equally frequent, in both parts.
        noise: fraction of the training labels replaced by another class; the test labels stay clean.
        teacher_seed: seed of the teacher, the inputs and the noise.

    Raises:
        OptionError: a value has the wrong type or is out of range.
    """

    num_classes: Annotated[int, Ge(2)] = 10
    dim: int = 64
    hidden: int = 128
    depth: int = 2
    samples: int = 10_000
    test_samples: int = 2_000
    balanced: bool = False
    noise: Annotated[float, Interval(ge=0, le=1)] = 0.0
    teacher_seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("dim", "hidden", "depth", "samples", "test_samples"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")


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
    """Return the folder data sets are read from and downloaded to.

    Returns:
        The folder the environment variable ``FFZOO_DATA`` names, or ``data`` in the platform's cache folder.
    """
    chosen = os.environ.get("FFZOO_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("ffzoo") / "data"
