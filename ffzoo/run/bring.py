"""A model, data and rules of the user's, in place of registered names, for ``fit``, ``evaluate`` and ``compare``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ffzoo.algorithms.given import given_algorithms, given_backbone
from ffzoo.data.own import batch_size_of, parts
from ffzoo.errors import OptionError
from ffzoo.registry.brought import Brought


def given_data(data: Any) -> str:
    """Return data as what stands for them in place of a data set's name.

    Raises:
        DataError: a dictionary that is none of parts.
    """
    if isinstance(data, str):
        return data
    train = parts(data)["train"]
    inner = getattr(train, "dataset", train)  # of a DataLoader
    name = "arrays" if isinstance(inner, tuple | list) else type(inner).__name__
    return Brought(name, "dataset_sources", data)


def bring(algos: Any, data: Any, model: Any, batch_size: int | None) -> tuple[list[str], str, str | None, int | None]:
    """Return names of the rules, the data and the model, and the samples per step.

    Raises:
        OptionError: a rule or model that is none, or other batches than those of a DataLoader.
        DataError: data that are none.
    """
    dataset = given_data(data)
    own = batch_size_of(data) if isinstance(dataset, Brought) else None
    if own is not None and batch_size not in (None, own):
        raise OptionError(f"batch_size is {batch_size}, but the DataLoader has batches of {own}; expected none")
    backbone = None if model is None else given_backbone(model)
    return given_algorithms(algos), dataset, backbone, own or batch_size


def with_goodness(settings: Mapping[str, Any] | None, goodness: Any) -> dict[str, Any]:
    """Return settings with a goodness, if there is one.

    Raises:
        OptionError: it is given twice.
    """
    found = dict(settings or {})
    if goodness is not None:
        if "goodness" in found:
            raise OptionError("goodness is given twice, by itself and in settings; expected one of them")
        found["goodness"] = goodness
    return found
