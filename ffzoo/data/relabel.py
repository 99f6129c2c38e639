"""Other classes for the same images: some of them, groups of them, or more outputs than there are classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ffzoo.data.options import DataOptions
from ffzoo.errors import OptionError

if TYPE_CHECKING:
    from ffzoo.data.bundle import RawData, Split


def keep_classes(
    name: str, parts: Sequence[Split | None], names: tuple[str, ...], options: DataOptions, words: list[str]
) -> tuple[list[Split | None], tuple[str, ...]]:
    """Keep ``options.classes`` of the classes.

    Args:
        name: the data set's, for messages.
        parts: training, validation and test set, None where there is none.
        names: of the classes.
        options: how many, and the seed of the draw.
        words: gets a line of what was done.

    Returns:
        The parts and the names of the classes that are left.

    Raises:
        OptionError: more classes than there are.
    """
    if options.classes is None:
        return list(parts), names
    _at_most("classes", options.classes, len(names), name)
    kept = np.sort(np.random.default_rng(options.split_seed).permutation(len(names))[: options.classes])
    new = np.full(len(names), -1)
    new[kept] = np.arange(len(kept))
    words.append(f"{len(kept)} of {len(names)} classes, seed {options.split_seed}")
    return [None if part is None else _mapped(part, new) for part in parts], tuple(names[k] for k in kept)


def merge_classes(
    name: str, parts: Sequence[Split], names: tuple[str, ...], raw: RawData, options: DataOptions, words: list[str]
) -> tuple[str, ...]:
    """Merge classes into ``options.groups``, and count ``options.outputs`` of them.

    Args:
        name: the data set's, for messages.
        parts: cut already, stratified by the classes that are merged; they get new labels.
        names: of the classes.
        raw: tells the superclasses.
        options: how many groups and outputs, and the seed of random groups.
        words: gets a line of what was done.

    Returns:
        Names of the new classes.

    Raises:
        OptionError: more groups than there are classes, fewer outputs, or superclasses that the set does not have.
    """
    if options.groups is not None:
        if options.groups == "superclasses":
            if not raw.superclasses or options.classes is not None:
                where = name if options.classes is None else f"a part of the classes of {name}"
                raise OptionError(
                    f"data option groups=superclasses: {where} has none; expected a number of random groups"
                )
            new, groups = np.asarray(raw.superclasses), raw.superclass_names
            words.append(f"{len(names)} classes in their {len(groups)} superclasses")
        else:
            _at_most("groups", options.groups, len(names), name)
            new = np.random.default_rng(options.groups_seed).permutation(len(names)) % options.groups
            groups = tuple(f"group {g + 1}" for g in range(options.groups))
            words.append(f"{len(names)} classes in {options.groups} random groups, seed {options.groups_seed}")
        for part in parts:
            part.labels = torch.from_numpy(new)[part.labels]
        names = groups
    if options.outputs is not None:
        if options.outputs < len(names):
            raise OptionError(f"data option outputs={options.outputs}: {name} has {len(names)} classes; expected more")
        words.append(f"{options.outputs} outputs for {len(names)} classes")
        names += tuple(f"no class {k + 1}" for k in range(len(names), options.outputs))
    return names


def _at_most(option: str, value: int, classes: int, name: str) -> None:
    if value > classes:
        raise OptionError(f"data option {option}={value}: {name} has {classes} classes; expected at most as many")


def _mapped(split: Split, new: np.ndarray[Any, Any]) -> Split:
    """Return the samples whose class has a new number, with that number."""
    labels = torch.from_numpy(new)[split.labels]
    return replace(split.subset((labels >= 0).nonzero().flatten()), labels=labels[labels >= 0])
