"""Models and rules that a user hands over in Python, where others write a registered name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.recipe import Recipe
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.options import Module
from ffzoo.backbones.own import module_backbone
from ffzoo.errors import OptionError, one_line
from ffzoo.registry.brought import Brought

Model = str | nn.Module | Callable[[], nn.Module]
"""A registered name, ``timm:NAME``, a module, or a class or function without arguments that makes one."""

Rule = str | Recipe | type[Algorithm] | Callable[[], Recipe]
"""A registered name, a recipe, a function without arguments that makes one, or a class."""


def given_backbone(model: Any) -> str:
    """Return a model as what stands for it in place of a registered name.

    Args:
        model: a :data:`Model`. A module is copied whenever a run begins; a class or function is called then, with the
            run's seed.

    Raises:
        OptionError: it is none of these.
    """
    if isinstance(model, str):
        return model
    if not isinstance(model, nn.Module) and not callable(model):
        raise OptionError(
            f"the model is a {type(model).__name__}; expected an nn.Module, a backbone's name or timm:NAME, or a "
            "function that makes a module"
        )

    def build(config: Module, _: str, input_shape: tuple[int, ...], num_classes: int) -> Backbone:
        return as_backbone(_fresh(model), input_shape, num_classes, config)

    name = type(model).__name__ if isinstance(model, nn.Module) else getattr(model, "__name__", type(model).__name__)
    if isinstance(model, Backbone):
        name = model.name
    return Brought("model" if name == "<lambda>" else name, "backbone_sources", build, Module)


def as_backbone(model: nn.Module, input_shape: tuple[int, ...], num_classes: int, config: Module) -> Backbone:
    """Return a module itself, cut into blocks; a backbone as it is.

    Raises:
        PartitionError: it cannot run on such inputs, or cannot be cut.
    """
    if isinstance(model, Backbone):
        if config.by:
            raise OptionError(f"backbone.by is {config.by}, but {model.name} is cut already; expected the module")
        return model
    return module_backbone(model, input_shape, num_classes, config.by)


def _fresh(model: Any) -> nn.Module:
    if isinstance(model, nn.Module):
        try:
            return copy.deepcopy(model)
        except Exception as error:
            raise OptionError(
                f"{type(model).__name__} cannot be copied ({one_line(error)}); expected a function that makes it"
            ) from error
    what = getattr(model, "__name__", "the function")
    try:
        made = model()
    except TypeError as error:
        raise OptionError(
            f"{what}() cannot be called ({one_line(error)}); expected a module, or a function without arguments"
        ) from error
    if not isinstance(made, nn.Module):
        raise OptionError(f"{what}() makes a {type(made).__name__}; expected an nn.Module")
    return made


def given_algorithm(algo: Any) -> str:
    """Return a rule as what stands for it in place of a registered name.

    Args:
        algo: a :data:`Rule`; tables call it by the name of the class or function, or ``recipe``.

    Raises:
        OptionError: it is none of these.
    """
    if isinstance(algo, str):
        return algo
    if isinstance(algo, type) and issubclass(algo, Algorithm):
        return Brought(algo.__name__, "algorithms", algo)
    name = "recipe"
    if callable(algo) and not isinstance(algo, type):
        name, algo = getattr(algo, "__name__", "recipe"), algo()
    if not isinstance(algo, Recipe):
        kind = algo.__name__ if isinstance(algo, type) else type(algo).__name__
        raise OptionError(
            f"algo is a {kind}; expected a registered name, a Recipe, a function that returns one, or a class of "
            "Algorithm"
        )
    return Brought("recipe" if name == "<lambda>" else name, "algorithms", algo)


def given_algorithms(algos: Sequence[Any]) -> list[str]:
    """Return several rules, each under a name of its own.

    Raises:
        OptionError: one of them is no rule.
    """
    found: list[str] = []
    for algo in algos:
        one = given_algorithm(algo)
        if isinstance(one, Brought) and one in found:
            number = 2 + sum(other.startswith(f"{one}_") for other in found)
            one = Brought(f"{one}_{number}", one.entry.kind, one.entry.target)
        found.append(one)
    return found
