"""An algorithm's card: what no code can tell of it, and beside that what its code does tell. No torch in here.

A plugin keeps one beside its recipe and names it when it registers the algorithm::

    register("my_rule", "my_plugin.recipes:MY_RULE", paper="...", card="my_plugin.card:MY_RULE")

:func:`describe` reads the card and adds isolation, coupling, views, parts and the command, which it reads from the
code, and the formula: the first literal block of the docstring of the module that holds the recipe, or of the class.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.build import algorithm_spec
from ffzoo.algorithms.meaning import meaning
from ffzoo.algorithms.recipe import Recipe
from ffzoo.errors import PluginError
from ffzoo.registry.cards import Card
from ffzoo.registry.choices import FORWARD_NORM, find
from ffzoo.registry.entries import Entry, import_target
from ffzoo.registry.loader import SHIPPED, ZOO
from ffzoo.registry.options import to_json

if TYPE_CHECKING:
    from ffzoo.algorithms.contract import Algorithm


@dataclass(frozen=True)
class Choice:
    """A part of a recipe, or the options of an algorithm.

    Attributes:
        key: how ``--set`` names it, e.g. ``"goodness"`` or ``"terms.1.loss"``; empty for an algorithm's own options.
        kind: of the registry, e.g. ``"local_losses"``, or ``"forward_norm"``.
        name: it is registered by.
        options: all of them, as JSON values.
        changed: those that are not the part's defaults.
    """

    key: str
    kind: str
    name: str
    options: Mapping[str, Any]
    changed: Mapping[str, Any]


@dataclass(frozen=True)
class Sheet:
    """All that is known of a registered algorithm: its card, and what its code tells.

    Attributes:
        name: after ``--algo``.
        aliases: further names.
        summary: a line.
        paper: the source in short.
        plugin: that registered it.
        distribution: that the plugin came with; empty for one that was not installed.
        card: None for an algorithm of somebody else's that brings none.
        formula: as its docstring gives it; empty if it gives none.
        intro: what the docstring says right before the formula, such as what its symbols mean.
        module: that registered it.
        isolation: where the gradient stops.
        coupling: what else passes back from later blocks.
        views: what a training step forwards, e.g. ``("positive", "negative")``.
        extra: forward passes of a step beside those of its views, in words.
        label_sweep: the prediction takes a pass for every candidate label.
        fusion: how the blocks become a prediction.
        choices: the algorithm's own options, then the parts of its recipe.
        settings: what else the recipe sets away from its defaults, by the key of ``--set``, e.g. ``terms.1.weight``.
        defaults: backbone and training options that it brings.
        command: that runs it.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    paper: str
    plugin: str
    distribution: str
    card: Card | None
    formula: str
    intro: str
    module: str
    isolation: str
    coupling: str
    views: tuple[str, ...]
    extra: tuple[str, ...]
    label_sweep: bool
    fusion: str
    choices: tuple[Choice, ...]
    settings: Mapping[str, Any]
    defaults: Mapping[str, Any]
    command: str


def describe(name: str) -> Sheet:
    """Read an algorithm's card and its code.

    Args:
        name: a registered algorithm or an alias.

    Raises:
        UnknownNameError: no such algorithm.
        PluginError: its card is missing though it ships, cannot be imported, or is none.
    """
    entry = ZOO["algorithms"].get(name)
    card = card_of(entry)
    spec = algorithm_spec(entry.name)
    own = _own_options(entry)
    found = [literal_block(text) for text in _docstrings(entry)]
    intro, formula = next((pair for pair in found if pair[1]), ("", ""))
    return Sheet(
        name=entry.name,
        aliases=entry.aliases,
        summary=entry.summary,
        paper=entry.paper,
        plugin=entry.provenance.plugin,
        distribution=entry.provenance.distribution,
        card=card,
        formula=formula,
        intro=intro,
        module=entry.module,
        defaults=dict(entry.tags.get("defaults", {})),
        command=f"ffzoo train --algo {entry.name}",
        **(_of_recipe(spec.recipe, own) if spec.recipe is not None else _of_class(spec.target, own)),
    )


def card_of(entry: Entry) -> Card | None:
    """Return the card that an algorithm was registered with; None if it is somebody else's and has none.

    Raises:
        PluginError: it ships without a card, or its card cannot be imported or is none.
    """
    tag = entry.tags.get("card")
    if tag is None:
        if entry.provenance.distribution == SHIPPED:
            raise PluginError(
                f"{entry} has no card; expected register(..., card='module:NAME') with an ffzoo.registry.cards.Card"
            )
        return None
    card = import_target(tag, f"the card of {entry}") if isinstance(tag, str) else tag
    if not isinstance(card, Card):
        raise PluginError(f"the card of {entry} is {card!r}; expected an ffzoo.registry.cards.Card")
    return card


def literal_block(text: str) -> tuple[str, str]:
    """Return the first block of a docstring that is indented below a line ending with ``::``, and what leads to it.

    Args:
        text: a docstring.

    Returns:
        The paragraph that ends with the two colons, and the block; both empty if there is none.
    """
    lines = inspect.cleandoc(text).splitlines()
    for i, line in enumerate(lines):
        if not line.rstrip().endswith("::"):
            continue
        margin, block = _indent(line), []
        if i == 0 and not _indent(next(filter(str.strip, lines[1:]), "")):
            margin = -1  # there is nothing but the block, whose indentation cleandoc took for the text's
        for below in lines[i + 1 :]:
            if below.strip() and _indent(below) <= margin:
                break
            block.append(below)
        above = itertools.takewhile(str.strip, reversed(lines[: i + 1]))
        intro = " ".join(text.strip() for text in reversed(list(above)))
        return intro.removesuffix("::").rstrip() + ":", inspect.cleandoc("\n".join(["", *block]))
    return "", ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _docstrings(entry: Entry) -> list[str]:
    """Return where the formula may stand: the docstrings of a class or function, of its module, and of the plugin."""
    target = entry.load()
    own = None if isinstance(target, Recipe) else target.__doc__
    lazy = entry.target.partition(":")[0] if isinstance(entry.target, str) else ""
    modules = [sys.modules[name] for name in (lazy, entry.module) if name in sys.modules]
    return [text for text in (own, *(module.__doc__ for module in modules)) if text]


def _choice(key: str, kind: str, name: str, config: object | None) -> Choice:
    chosen: dict[str, Any] = {} if config is None else to_json(config)
    default: dict[str, Any] = {} if config is None else to_json(type(config)())
    return Choice(key, kind, name, chosen, {k: v for k, v in chosen.items() if v != default[k]})


def _own_options(entry: Entry) -> tuple[Choice, ...]:
    config = entry.load_config()
    return () if config is None else (_choice("", "algorithms", entry.name, config()),)


def _of_class(cls: type[Algorithm], own: tuple[Choice, ...]) -> dict[str, Any]:
    """Return what an algorithm that is a class declares of itself."""
    return {
        "isolation": cls.isolation,
        "coupling": cls.coupling,
        "views": cls.views,
        "extra": (),
        "label_sweep": False,
        "fusion": cls.fusion,
        "choices": own,
        "settings": {},
    }


def _of_recipe(recipe: Recipe, own: tuple[Choice, ...]) -> dict[str, Any]:
    """Return what a recipe's parts say of it; their classes are imported for that."""
    recipe = recipe.resolved()
    slots: list[tuple[str, str, Any]] = []
    for i, term in enumerate(recipe.terms):
        prefix = f"terms.{i}." if i else ""
        slots += [(prefix + "goodness", "goodness", term.goodness), (prefix + "loss", "local_losses", term.loss)]
    slots += [
        ("label_embedding", "label_embeddings", recipe.label_embedding),
        ("negatives", "negatives", recipe.negatives),
        ("goodness_norm", "normalizations", recipe.goodness_norm),
        ("forward_norm", FORWARD_NORM, recipe.forward_norm),
        ("schedule", "schedules", recipe.schedule),
        ("fusion", "fusions", recipe.fusion),
    ]
    found = [(key, kind, *find(kind, part)) for key, kind, part in slots]
    meant = meaning(recipe)
    return {
        "isolation": recipe.isolation,
        "coupling": meant.coupling,
        "views": meant.views,
        "extra": meant.extra,
        "label_sweep": meant.label_sweep,
        "fusion": meant.fusion,
        "choices": (*own, *(_choice(key, kind, entry.name, config) for key, kind, entry, config in found)),
        "settings": _settings(recipe),
    }


def _settings(recipe: Recipe) -> dict[str, Any]:
    """Return the fields that are not parts, where they differ from the defaults of a recipe."""
    plain = Recipe(terms=())
    changed = {name: getattr(recipe, name) for name in ("train_blocks", "fusion_grad", "depth_weights")}
    settings = {name: value for name, value in changed.items() if value != getattr(plain, name)}
    for i, term in enumerate(recipe.terms):
        prefix = f"terms.{i}." if i else ""
        settings |= {prefix + "weight": term.weight} if term.weight != 1 else {}
        settings |= {prefix + "blocks": term.blocks} if term.blocks != "all" else {}
    return settings
