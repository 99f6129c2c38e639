"""Cards: what is read from them and from the code."""

from __future__ import annotations

import dataclasses
import importlib
import re
import subprocess
import sys

import pytest
import torch
from cards import ALGORITHMS, CARD, LEARNED, Blurred, Coupled, Local, plugin, shipping

import ffzoo
from ffzoo import Recipe, Term
from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.algorithms.sheet import describe, literal_block
from ffzoo.data.batch import Batch
from ffzoo.errors import FFZooError, OptionError, PluginError, UnknownNameError
from ffzoo.parts.options import ConcatLinear, Logistic
from ffzoo.registry.cards import SOURCES, Published
from ffzoo.registry.declare import declarations

# ---------------------------------------------------------------- reading a card


def test_the_sheet_of_a_recipe():
    sheet = describe("vanilla_ff")
    declared = {d.name: d.keywords for d in declarations(importlib.import_module("ffzoo_zoo.vanilla_ff"))}
    assert sheet.card is declared["vanilla_ff"]["card"]
    assert (sheet.name, sheet.plugin, sheet.distribution) == ("vanilla_ff", "vanilla_ff", "ffzoo")
    assert sheet.module == "ffzoo_zoo.vanilla_ff"
    assert sheet.formula.startswith("G_l = mean of h_l^2") and sheet.formula.splitlines()[-1].startswith("u_l = ")
    assert (sheet.isolation, sheet.coupling) == ("local", "none")
    assert sheet.views == ("positive", "negative") and sheet.extra == () and sheet.label_sweep
    assert sheet.defaults == {"backbone": "mlp", "fit.lr": 2e-3}
    assert sheet.command == "ffzoo train --algo vanilla_ff"
    choices = {choice.key: choice for choice in sheet.choices}
    assert choices["loss"].name == "logistic" and choices["loss"].changed == {"threshold": 2.0, "scale": 8.0}
    assert choices["fusion"].options == {"first": 1, "of": "log_softmax"} and choices["fusion"].changed == {"first": 1}
    assert choices["negatives"].name == "wrong_label" and choices["negatives"].kind == "negatives"


def test_terms_after_the_first_and_what_is_no_part():
    sheet = describe("nokland_predsim")
    assert sheet.settings == {"weight": 0.01, "terms.1.weight": 0.99}
    keys = [choice.key for choice in sheet.choices]
    assert keys[:4] == ["goodness", "loss", "terms.1.goodness", "terms.1.loss"]
    recipe = algorithm_spec("nokland_predsim").recipe  # the keys are those of --set
    for key, value in sheet.settings.items():
        assert recipe.set({key: value}) == recipe
    frozen = LEARNED.replace(train_blocks=False, fusion_grad="one_hop", isolation="none")
    with ffzoo.use(plugin(frozen)):
        assert describe("somebodys").settings == {"train_blocks": False, "fusion_grad": "one_hop", "weight": 0.5}


def test_a_function_with_options():
    sheet = describe("bp")
    own = sheet.choices[0]
    assert (own.key, own.name, own.options, own.changed) == ("", "bp", {"head": "linear"}, {})
    assert sheet.settings == {"blocks": "last"} and sheet.isolation == "none" and sheet.card.baseline
    assert "CrossEntropy" in sheet.formula


def test_a_fusion_of_features_reads_a_neutral_view_and_sweeps_no_labels():
    recipe = algorithm_spec("vanilla_ff").recipe.replace(fusion=ConcatLinear())
    with ffzoo.use(plugin(recipe)):
        sheet = describe("somebodys")
        assert sheet.views == ("positive", "negative", "neutral label") and not sheet.label_sweep
    # Where no label enters the input, the positive view is neutral.
    assert describe("vanilla_ff_unsup").views == ("positive", "negative")


def test_the_coupling_is_the_union_of_the_parts():
    parts = [("negatives", "blurred", Blurred), ("goodness", "coupled", Coupled)]
    recipe = Recipe(terms=(Term("coupled", Logistic()),), negatives="blurred", fusion=ConcatLinear())
    with ffzoo.use(plugin(recipe, parts)):
        sheet = describe("somebodys")
    assert sheet.coupling == "shared parameters+values"
    assert sheet.views == ("positive", "second positive")
    assert sheet.extra == ("a prediction, for the negatives", "every view once more, for the other blocks' scores")


def test_the_sheet_of_a_class():
    with ffzoo.use(plugin(Local, card=CARD)):
        sheet = describe("an_alias")
    assert (sheet.name, sheet.aliases, sheet.card, sheet.module) == (
        "somebodys",
        ("an_alias",),
        CARD,
        "somebodys_plugin",
    )
    assert (sheet.intro, sheet.formula) == ("What it learns from:", "dw = h x\n  less w")
    assert (sheet.isolation, sheet.coupling, sheet.fusion) == ("local", "feedback", "last")
    assert sheet.views == ("positive", "modulated") and sheet.choices == () and not sheet.label_sweep
    with ffzoo.use(plugin(Algorithm)):
        assert describe("somebodys").views == ("positive",)


def test_somebody_elses_algorithm_needs_no_card():
    with ffzoo.use(plugin(LEARNED)):
        sheet = describe("somebodys")
    assert (
        sheet.card is None and sheet.formula == "" and sheet.module == "somebodys_plugin" and sheet.distribution == ""
    )
    assert sheet.views == ("positive",) and sheet.fusion == "last"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("First line.\n\nThe\nrule::\n\n    a = b\n      c\n\n    d\n\nMore.", ("The rule:", "a = b\n  c\n\nd")),
        ("The rule::\n    a\nmore::\n    b", ("The rule:", "a")),
        ("Args:\n    x: it is::\n\n        a = b\n    y: more", ("Args: x: it is:", "a = b")),
        ("No block.\n\n    indented", ("", "")),
        ("A ::\n\n    b\n      c", ("A:", "b\n  c")),
        ("", ("", "")),
    ],
)
def test_a_literal_block(text, block):
    assert literal_block(text) == block


def test_the_paper_is_that_of_the_algorithms_own_card():
    assert describe("bp").paper.startswith("Rumelhart")
    assert describe("bp_deepsup").paper == "Lee et al. 2015, arXiv:1409.5185"  # the second card of its module


# ---------------------------------------------------------------- errors


def test_an_unknown_algorithm_names_its_neighbours():
    with pytest.raises(UnknownNameError, match="did you mean 'dtg_ff'"):
        describe("dtgff")


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("nowhere:CARD", "card of algorithm 'somebodys'.*cannot be loaded: ModuleNotFoundError"),
        ("ffzoo_zoo.bp:NOTHING", "AttributeError"),
        ("ffzoo_zoo.bp:BP", "expected an ffzoo.registry.cards.Card"),
        (3, "is 3; expected an ffzoo.registry.cards.Card"),
    ],
)
def test_a_card_that_is_none(card, message):
    with ffzoo.use(plugin(LEARNED, card=card)), pytest.raises(PluginError, match=message):
        describe("somebodys")


def test_what_ships_needs_a_card():
    with (
        shipping(plugin(LEARNED)),
        pytest.raises(PluginError, match=r"'somebodys' of plugin .* has no card; expected reg"),
    ):
        describe("somebodys")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": ""}, "title is ''"),
        ({"authors": ""}, "authors is ''"),
        ({"local": ""}, "local is ''"),
        ({"year": 20}, "year is 20; expected a year"),
        ({"year": "2020"}, "year is '2020'; expected a whole number"),
        ({"url": "arXiv:1"}, "expected an address"),
        ({"source": "hearsay"}, "source is 'hearsay'; expected 'paper' or 'abstract'"),
        ({"departures": ("x", 3)}, "departures is"),
        ({"departures": "one sentence"}, "departures is 'one sentence'"),
        ({"published": ({"dataset": "mnist"},)}, "published is"),
        ({"reconstruction": "no"}, "reconstruction is 'no'"),
    ],
)
def test_a_malformed_card_is_refused(change, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        dataclasses.replace(CARD, **change)


@pytest.mark.parametrize("accuracy", [-1, 100.5, float("nan")])
def test_a_published_accuracy_is_a_percentage(accuracy):
    with pytest.raises(OptionError, match="accuracy is"):
        Published("mnist", accuracy, "MLP", "paper")


# ---------------------------------------------------------------- what ships


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_shipped_algorithm_has_a_card_that_says_enough(name):
    sheet = describe(name)
    card = sheet.card
    assert card is not None and card.source in SOURCES
    assert sheet.summary and sheet.paper
    assert sheet.formula, f"no literal block (after '::') in the docstring of {sheet.module}"
    for text in (card.local, *card.departures, *card.remarks):
        assert text.endswith((".", ")")) and text == text.strip() and "  " not in text, text
    assert all(figure.source in SOURCES for figure in card.published)
    if card.reconstruction:
        assert card.source not in ("paper", "code"), "the source was at hand: that is no reconstruction"


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_sheet_is_what_the_algorithm_built_says(name):
    sheet = describe(name)
    algorithm = None
    for backbone, shape in (("mlp", (1, 8, 8)), ("cnn", (3, 16, 16))):  # some want maps
        try:
            algorithm = create(name, backbone, shape, 10)
            break
        except FFZooError:
            continue
    assert algorithm is not None
    assert (sheet.isolation, sheet.coupling, sheet.fusion) == (
        algorithm.isolation,
        algorithm.coupling,
        algorithm.fusion,
    )
    if not isinstance(algorithm, RecipeAlgorithm):
        return
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(4, *shape, generator=generator), torch.arange(4)
    signs = [view.sign for view in algorithm.views_of(Batch(x, y, generator=generator))]
    assert len(signs) == len(sheet.views)
    assert signs == [{"positive": 1, "second positive": 1, "negative": -1, "neutral label": 0}[v] for v in sheet.views]
    assert sheet.label_sweep == (algorithm.meaning.score == "sample" and algorithm.fusion_head.reads == "scores")


def test_reading_cards_and_listing_import_no_torch():
    code = """
import importlib, sys
import ffzoo.algorithms.sheet
from ffzoo.cli.main import main
from ffzoo.registry.loader import ZOO
for entry in ZOO["algorithms"]:
    ffzoo.algorithms.sheet.card_of(entry)
main(["list"])
sys.exit("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
