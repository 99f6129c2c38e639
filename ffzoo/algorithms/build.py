"""From names and options to an algorithm: what the command line, the tests and notebooks share.

The first half is torch-free, so that a misspelt option is refused before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.recipe import Recipe
from ffzoo.errors import OptionError, nearest
from ffzoo.registry import options
from ffzoo.registry.brought import Brought
from ffzoo.registry.entries import Entry
from ffzoo.registry.loader import ZOO

if TYPE_CHECKING:
    from ffzoo.algorithms.contract import Algorithm
    from ffzoo.algorithms.given import Model, Rule
    from ffzoo.backbones.base import Backbone


@dataclass(frozen=True)
class AlgorithmSpec:
    """An algorithm with its options, ready to be built on a backbone.

    Attributes:
        name: what reports call it.
        config: a recipe, or the options of a class.
        target: the class; None for a recipe.
    """

    name: str
    config: Any
    target: Any = None

    @property
    def recipe(self) -> Recipe | None:
        """Return the recipe, or None for an algorithm that is a class of its own."""
        return self.config if isinstance(self.config, Recipe) else None

    def to_json(self) -> dict[str, Any]:
        """Return the resolved options as JSON values."""
        return self.recipe.to_json() if self.recipe is not None else options.to_json(self.config)


def algorithm_spec(name: str, changes: Mapping[str, Any] | None = None) -> AlgorithmSpec:
    """Look an algorithm up and set its options.

    Args:
        name: a registered algorithm.
        changes: options by key, as after ``--set``: fields of the algorithm's own config, and for a
            recipe its parts (``fusion``) and their options (``goodness.grid``).

    Raises:
        UnknownNameError: no such algorithm or part.
        OptionError: a key that nothing reads, or a value of the wrong type.
        RecipeError: parts that contradict each other.
    """
    entry = name.entry if isinstance(name, Brought) else ZOO["algorithms"].get(name)
    known_as = str(name) if isinstance(name, Brought) else entry.name
    changes = dict(changes or {})
    target = entry.load()
    config_class = entry.load_config()
    config = None
    if config_class is not None:
        own = {k: changes.pop(k) for k in list(changes) if k in options.field_types(config_class)}
        config = options.replace(config_class(), own, "")
    if callable(target) and not isinstance(target, type):
        target = target(config)
    if isinstance(target, Recipe):
        recipe = target.set(changes)
        recipe.validate()
        return AlgorithmSpec(known_as, recipe)
    if changes:
        key = sorted(changes)[0]
        known = options.field_types(config_class) if config_class else {}
        raise OptionError(f"unknown option {key!r} of algorithm {name!r}: {nearest(key, known)}")
    return AlgorithmSpec(known_as, config, target)


def backbone_entry(name: str) -> tuple[Entry, str]:
    """Return the entry of a backbone's name, and the model's name behind a source's prefix.

    Raises:
        UnknownNameError: no such backbone or source.
    """
    if isinstance(name, Brought):
        return name.entry, name
    prefix, colon, rest = name.partition(":")
    if colon:
        entry = ZOO["backbone_sources"].get(prefix)
        if not rest:
            raise OptionError(f"backbone {name!r} names no model; expected {prefix}:NAME")
        return entry, rest
    return ZOO["backbones"].get(name), ""


def backbone_config(name: str, changes: Mapping[str, Any] | None = None) -> Any:
    """Return the options of a backbone.

    Raises:
        UnknownNameError: no such backbone.
        OptionError: a key that the backbone does not read, or a value of the wrong type.
    """
    entry, _ = backbone_entry(name)
    config_class = entry.load_config()
    if config_class is None:
        if changes:
            raise OptionError(f"unknown option 'backbone.{sorted(changes)[0]}': backbone {name!r} has no options")
        return None
    return options.replace(config_class(), changes or {}, "backbone.")


def create_backbone(name: str, input_shape: tuple[int, ...], num_classes: int, config: Any = None) -> Backbone:
    """Build a backbone by name, e.g. ``"cnn"`` or ``"timm:resnet18"``.

    Args:
        name: a registered backbone, or a source's prefix and a model's name.
        input_shape: ``(C, H, W)`` or ``(D,)``.
        num_classes: K, for a model that brings a head.
        config: the backbone's options; its defaults if None.

    Raises:
        UnknownNameError: no such backbone, source or model.
        PartitionError: the model cannot be cut into blocks.
    """
    entry, model = backbone_entry(name)
    if config is None:
        config = backbone_config(name)
    if model:
        return entry.load()(config, model, input_shape, num_classes)
    return entry.load()(config, input_shape)


def create(
    algo: Rule | AlgorithmSpec,
    backbone: Model,
    input_shape: tuple[int, ...],
    num_classes: int,
    *,
    fit: FitOptions | None = None,
    backbone_config: Any = None,
) -> Algorithm:
    """Build an algorithm on a backbone, from one seed.

    Args:
        algo: a name, a recipe, a function that returns one, a class, or what :func:`algorithm_spec` returned.
        backbone: a name, or a module for the inputs that the label embedding makes, which is used itself: a backbone,
            or any other, which is cut into blocks at its top-level children, without its own head.
        input_shape: shape of one sample of the data.
        num_classes: K.
        fit: optimizer, learning rate and seed.
        backbone_config: the backbone's options; its defaults if None.

    Raises:
        FFZooError: unknown names, or parts that do not fit together.
    """
    import torch

    from ffzoo.algorithms.engine import RecipeAlgorithm
    from ffzoo.algorithms.given import as_backbone, given_algorithm, given_backbone
    from ffzoo.algorithms.making import make_part
    from ffzoo.backbones.options import Module

    fit = fit or FitOptions()
    spec = algo if isinstance(algo, AlgorithmSpec) else algorithm_spec(given_algorithm(algo))
    if not isinstance(backbone, str | torch.nn.Module):
        backbone = given_backbone(backbone)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(fit.seed)
        if isinstance(backbone, torch.nn.Module):
            backbone = as_backbone(backbone, tuple(input_shape), num_classes, backbone_config or Module())
        else:
            if spec.recipe is not None:
                embedding = make_part("label_embeddings", spec.recipe.label_embedding, num_classes)
                input_shape = embedding.input_shape(tuple(input_shape))
            backbone = create_backbone(backbone, tuple(input_shape), num_classes, backbone_config)
        cls = spec.target or RecipeAlgorithm
        return cls(backbone, num_classes, spec.config, fit)
