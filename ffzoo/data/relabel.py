"""Other classes for the same images: some of them, groups of them, or more outputs than there are classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ffzoo.data.options import DataOptions
from ffzoo.errors import OptionError

if TYPE_CHECKING:
    from ffzoo.data.bundle import Split


def relabel(
    name: str, train: Split, test: Split | None, names: tuple[str, ...], options: DataOptions
) -> tuple[Split, Split | None, tuple[str, ...], list[str]]:
    """Keep ``options.classes`` classes, merge them into ``options.groups``, and count ``options.outputs`` of them.

    Args:
        name: the data set's, for messages.
        train: training part.
        test: test part, if the set has one.
        names: of the classes.
        options: how many of each; the draws are ``options.split_seed``'s.

    Returns:
        Both parts, the names of the new classes, and what was done, in a line each.

    Raises:
        OptionError: more classes or groups than there are, or fewer outputs.
    """
    words: list[str] = []
    order = np.random.default_rng(options.split_seed).permutation(len(names))
    if options.classes is not None:
        _at_most("classes", options.classes, len(names), name)
        kept = np.sort(order[: options.classes])
        new = np.full(len(names), -1)
        new[kept] = np.arange(len(kept))
        train, test = _mapped(train, new), _mapped(test, new) if test is not None else None
        words.append(f"{len(kept)} of {len(names)} classes, seed {options.split_seed}")
        names = tuple(names[k] for k in kept)
    if options.groups is not None:
        _at_most("groups", options.groups, len(names), name)
        new = np.random.default_rng(options.split_seed).permutation(len(names)) % options.groups
        train, test = _mapped(train, new), _mapped(test, new) if test is not None else None
        words.append(f"{len(names)} classes in {options.groups} random groups, seed {options.split_seed}")
        names = tuple(f"group {g + 1}" for g in range(options.groups))
    if options.outputs is not None:
        if options.outputs < len(names):
            raise OptionError(f"data option outputs={options.outputs}: {name} has {len(names)} classes; expected more")
        words.append(f"{options.outputs} outputs for {len(names)} classes")
        names += tuple(f"no class {k + 1}" for k in range(len(names), options.outputs))
    return train, test, names, words


def _at_most(option: str, value: int, classes: int, name: str) -> None:
    if value > classes:
        raise OptionError(f"data option {option}={value}: {name} has {classes} classes; expected at most as many")


def _mapped(split: Split, new: np.ndarray) -> Split:
    """The samples whose class has a new number, with that number."""
    labels = torch.from_numpy(new)[split.labels]
    kept = split.subset((labels >= 0).nonzero().flatten()) if bool((labels < 0).any()) else split
    return replace(kept, labels=labels[labels >= 0])
