"""One call registers one name: what a rule's file says of itself. No torch in here.

    CUBIC_FF = algorithm("cubic_ff", Recipe(...), summary="Forward-Forward with cubes", card=Card(...))

Each call notes the name in the module that makes it, and the loader passes the notes to the hook of their kind when the
module is loaded as a plugin; so importing such a module from elsewhere registers nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from ffzoo.registry.cards import Card

T = TypeVar("T")
_NOTES = "__ffzoo_declarations__"


@dataclass(frozen=True)
class Declaration:
    """One name that a module registers.

    Attributes:
        kind: of the registry, such as ``"goodness"``.
        name: what it is chosen by.
        target: what the name stands for.
        keywords: as a hook's ``register`` takes them.
    """

    kind: str
    name: str
    target: Any
    keywords: Mapping[str, Any] = field(default_factory=dict)


def declarations(module: object) -> list[Declaration]:
    """Return what a module registers by calls; what has no paper and no card takes the paper of the first card."""
    found: list[Declaration] = list(getattr(module, _NOTES, ()))
    first = next((d.keywords["card"] for d in found if "card" in d.keywords), None)

    def paper(d: Declaration) -> str:
        card = d.keywords.get("card", first)
        return card.paper if card else ""

    return [Declaration(d.kind, d.name, d.target, {"paper": paper(d), **d.keywords}) for d in found]


def _note(kind: str, name: str, target: T, keywords: dict[str, Any]) -> T:
    namespace = sys._getframe(2).f_globals  # of the module that calls algorithm(), goodness(), ...
    lazy: Any = target
    if isinstance(target, str) and target.startswith("."):
        lazy = f"{namespace['__name__'].rpartition('.')[0]}{target}".removeprefix(".")
    given = {key: value for key, value in keywords.items() if value not in ("", None, ())}
    namespace.setdefault(_NOTES, []).append(Declaration(kind, name, lazy, given))
    return target


def algorithm(
    name: str,
    target: T,
    /,
    *,
    summary: str,
    card: Card | None = None,
    config: type | str | None = None,
    aliases: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
) -> T:
    """Register an algorithm.

    Args:
        name: what it is chosen by: lower-case letters, digits and underscores.
        target: a :class:`~ffzoo.algorithms.recipe.Recipe`, a function ``config -> Recipe``, or the lazy name of a
            subclass of :class:`~ffzoo.algorithms.contract.Algorithm`, such as ``".dfa_parts:DFA"``; a leading dot
            stands for the package of the calling module.
        summary: one line for lists.
        card: what no code can tell of it; its paper is the source of everything the module registers.
        config: options of its own, a class made by :func:`~ffzoo.registry.options.options`.
        aliases: further names.
        defaults: backbone and training options that it brings, such as ``{"fit.lr": 0.01}``.

    Returns:
        The target, so that other rules can start from a recipe.
    """
    keywords = {"summary": summary, "card": card, "config": config, "aliases": aliases, "defaults": defaults}
    return _note("algorithms", name, target, keywords)


def dataset(
    name: str,
    target: T,
    /,
    *,
    summary: str,
    config: type | str | None = None,
    paper: str = "",
    aliases: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
) -> T:
    """Register a data set.

    Args:
        name: what it is chosen by: lower-case letters, digits and underscores.
        target: a function ``(root, download) -> RawData``, with its options in front of these where it has any, or
            its lazy name ``".module:attribute"``.
        summary: one line for lists.
        config: its options, a class made by :func:`~ffzoo.registry.options.options`.
        paper: its source, where that is not the paper of the module's first card.
        aliases: further names.
        defaults: backbone and training options that suit it, such as ``{"backbone": "cnn", "fit.epochs": 20}``.

    Returns:
        The target.
    """
    keywords = {"summary": summary, "config": config, "paper": paper, "aliases": aliases, "defaults": defaults}
    return _note("datasets", name, target, keywords)


class _Declare(Protocol):
    def __call__(
        self,
        name: str,
        target: T,
        /,
        *,
        summary: str,
        config: type | str | None = None,
        paper: str = "",
        aliases: tuple[str, ...] = (),
    ) -> T: ...


def _of_kind(kind: str, word: str, what: str, target_words: str) -> _Declare:
    def declare(
        name: str,
        target: T,
        /,
        *,
        summary: str,
        config: type | str | None = None,
        paper: str = "",
        aliases: tuple[str, ...] = (),
    ) -> T:
        keywords = {"summary": summary, "config": config, "paper": paper, "aliases": aliases}
        return _note(kind, name, target, keywords)

    declare.__name__ = declare.__qualname__ = word
    declare.__doc__ = f"""Register {what}.

    Args:
        name: what it is chosen by: lower-case letters, digits and underscores.
        target: {target_words}, or its lazy name ``".module:attribute"``; a leading dot stands for the package of the
            calling module.
        summary: one line for lists.
        config: its options, a class made by :func:`~ffzoo.registry.options.options`.
        paper: its source, where that is not the paper of the module's first card.
        aliases: further names.

    Returns:
        The target.
    """
    return declare


goodness = _of_kind("goodness", "goodness", "a goodness", "a ``Goodness`` class, or a function ``h -> (B,)``")
local_loss = _of_kind("local_losses", "local_loss", "a local loss", "a ``LocalLoss`` class")
fusion = _of_kind("fusions", "fusion", "a fusion", "a ``Fusion`` class")
negatives = _of_kind("negatives", "negatives", "a generator of negatives", "a ``Negatives`` class")
label_embedding = _of_kind("label_embeddings", "label_embedding", "a label embedding", "a ``LabelEmbedding`` class")
normalization = _of_kind("normalizations", "normalization", "a normalization", "an ``nn.Module`` class")
schedule = _of_kind("schedules", "schedule", "a schedule", "a ``Schedule`` class")
backbone = _of_kind("backbones", "backbone", "a backbone", "a function ``(config, input_shape) -> Backbone``")
experiment = _of_kind("experiments", "experiment", "an experiment", "a function ``(config, study) -> Report``")
observer = _of_kind("observers", "observer", "an observer", "an ``Observer`` class")
metric = _of_kind("metrics", "metric", "a metric", "a ``Metric`` class")
