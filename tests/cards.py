"""A card, and plugins that have one."""

from __future__ import annotations

import contextlib
import types

import ffzoo
from ffzoo import Recipe, Term, hookimpl
from ffzoo.algorithms.contract import Algorithm
from ffzoo.parts.base import Goodness, Negatives
from ffzoo.parts.options import Projection
from ffzoo.registry.cards import Card, Published
from ffzoo.registry.entries import Provenance
from ffzoo.registry.loader import SHIPPED, ZOO

ALGORITHMS = [
    name for name in ffzoo.list_algorithms() if ZOO["algorithms"].get(name).provenance.distribution == SHIPPED
]
CARD = Card(
    title="A Paper of Paper",
    authors="Doe",
    year=2020,
    url="https://example.org/paper",
    source="abstract",
    local="A block [red] learns alone.",
    reconstruction=True,
    published=(Published("mnist", 97.25, "MLP", "memory", "after [bold] a while"),),
    departures=("The first departure is told.",),
    remarks=("A remark [dim] in brackets.",),
)


class Local(Algorithm):
    """A rule that is a class.

    What it learns from::

        dw = h x
          less w

    And more text.
    """

    isolation = "local"
    coupling = "feedback"
    fusion = "last"
    views = ("positive", "modulated")


class Blurred(Negatives):
    """Another positive view."""

    sign = +1
    coupling = "values"
    reads_prediction = True


class Coupled(Goodness):
    """A goodness that reads the other blocks'."""

    coupling = "shared parameters"
    requires = ("others",)


def registering(name, target, **keywords):
    """A hook that registers one thing."""

    def hook(register):
        register(name, target, **keywords)

    return hookimpl(hook)


def plugin(target, parts=(), **keywords):
    """A plugin with one algorithm, and ``(kind, name, target)`` of parts."""
    module = types.ModuleType("somebodys_plugin")
    known = {"aliases": ("an_alias",), "summary": "a summary", "paper": "Doe 2020"}
    module.register_algorithms = registering("somebodys", target, **known, **keywords)
    for kind, name, part in parts:
        setattr(module, f"register_{kind}", registering(name, part))
    return module


@contextlib.contextmanager
def shipping(module):
    ZOO.register(module, Provenance("somebodys_plugin", SHIPPED))
    try:
        yield
    finally:
        ZOO.unregister(module, "somebodys_plugin")


LEARNED = Recipe(
    terms=(Term(Projection(power=1, grid=1, projection="learned"), "cross_entropy", weight=0.5),), fusion="last"
)
