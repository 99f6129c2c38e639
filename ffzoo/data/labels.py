"""Labels as people keep them: integers, text, truth values, one-hot rows -> integers from 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ffzoo.errors import DataError

Array = np.ndarray[Any, Any]


def read_labels(
    given: Mapping[str, Array], class_names: tuple[str, ...] = ()
) -> tuple[dict[str, Array], tuple[str, ...], list[str]]:
    """Return the labels of all sets, numbered alike, by those of the first.

    Labels that are 0, 1, ... already stay as they are. Everything else is numbered in sorted order, and the values
    become the names of the classes.

    Args:
        given: the labels by the name of their array, those of the training set first.
        class_names: the names, where the data bring them.

    Returns:
        int64 (N,) by name; the names of the classes, empty where they are the numbers; what the user should know.

    Raises:
        DataError: labels that are none of classes, or of a class that the training set does not have.
    """
    notes: list[str] = []
    flat = {name: _flat(name, labels, notes) for name, labels in given.items()}
    train = next(iter(flat))
    values = np.unique(flat[train])
    if values.dtype.kind in "iu" and len(values) and values[0] >= 0:
        if class_names or np.array_equal(values, np.arange(len(values))):
            return {name: _integers(name, labels, train) for name, labels in flat.items()}, class_names, notes
    if class_names and len(class_names) != len(values):
        raise DataError(
            f"{train} has {len(values)} different labels, but there are {len(class_names)} names of classes"
        )
    numbered = {}
    for name, labels in flat.items():
        if labels.dtype.kind != values.dtype.kind and "U" in labels.dtype.kind + values.dtype.kind:
            raise DataError(f"{name} has labels of type {labels.dtype}, {train} of {values.dtype}; expected the same")
        unknown = np.setdiff1d(labels, values)
        if len(unknown):
            raise DataError(f"{name} has the label {str(unknown[0])!r}, which no sample in {train} has")
        numbered[name] = np.searchsorted(values, labels).astype(np.int64)
    names = class_names or tuple(map(str, values.tolist()))
    if len(values):
        shown = ", ".join(map(repr, values[:4].tolist())) + (", ..." if len(values) > 4 else "")
        notes.append(f"the labels {shown} are numbered from 0 to {len(values) - 1}")
    return numbered, names, notes


def _integers(name: str, labels: Array, train: str) -> Array:
    if labels.dtype.kind not in "iu":
        raise DataError(f"{name} has labels of type {labels.dtype}, {train} integers; expected the same")
    return labels.astype(np.int64)


def _flat(name: str, labels: Array, notes: list[str]) -> Array:
    """Return one integer, truth value or text per sample."""
    labels = np.asarray(labels)
    while labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        return _from_rows(name, labels, notes)
    if labels.ndim != 1:
        raise DataError(f"{name} has shape {labels.shape}; expected one label per sample, (N,)")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise DataError(f"{name} has labels that are NaN or infinite; leave these samples out")
        if not np.array_equal(labels, np.rint(labels)):
            raise DataError(
                f"{name} has fractions such as {labels[labels != np.rint(labels)][0]:g}; expected classes: cut the "
                "values into classes, for example with numpy.digitize"
            )
        return labels.astype(np.int64)
    if labels.dtype.kind == "b":
        return labels.astype(np.int64)
    if labels.dtype.kind not in "iuU":
        raise DataError(f"{name} has labels of type {labels.dtype}; expected integers or text, such as y.astype(str)")
    return labels


def _from_rows(name: str, labels: Array, notes: list[str]) -> Array:
    """Return the classes of one-hot rows.

    Raises:
        DataError: the rows are something else.
    """
    if np.isin(labels, (0, 1)).all() and (labels.sum(1) == 1).all():
        notes.append(f"the rows of {name} are one-hot: the place of the 1 is the class")
        return labels.argmax(1)
    if np.isin(labels, (0, 1)).all():
        raise DataError(
            f"{name} has shape {labels.shape} and rows with none or several ones; expected one class per sample: "
            "several labels of a sample cannot be learned here"
        )
    if labels.dtype.kind == "f" and np.allclose(labels.sum(1), 1, atol=1e-3):
        raise DataError(
            f"{name} has shape {labels.shape}, one probability per class; expected classes: {name}.argmax(1)"
        )
    raise DataError(f"{name} has shape {labels.shape}; expected one label per sample, (N,), or one-hot rows")
