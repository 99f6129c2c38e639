"""Cards: what is read from them and from the code, what the command prints, and what the pages are made of."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import json
import re
import statistics
import subprocess
import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
import torch

import ffzoo
from ffzoo import Recipe, Term, card_view, hookimpl
from ffzoo.algorithm import Algorithm, Batch
from ffzoo.build import algorithm_spec, create
from ffzoo.card import SOURCES, Card, Published, card_of, describe, literal_block
from ffzoo.cli import main as command
from ffzoo.engine import RecipeAlgorithm
from ffzoo.errors import FFZooError, OptionError, PluginError, UnknownNameError
from ffzoo.eval import authors_and_year, print_list
from ffzoo.loader import SHIPPED, ZOO
from ffzoo.parts import projection
from ffzoo.parts.base import Goodness, Negatives
from ffzoo.parts.options import ConcatLinear, Logistic, Projection
from ffzoo.registry import Provenance

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


# ---------------------------------------------------------------- reading a card


def test_the_sheet_of_a_recipe():
    sheet = describe("vanilla_ff")
    assert sheet.card == importlib.import_module("ffzoo_vanilla_ff.card").VANILLA_FF
    assert (sheet.name, sheet.plugin, sheet.distribution) == ("vanilla_ff", "vanilla_ff", "ffzoo")
    assert sheet.module == "ffzoo_vanilla_ff.recipes"
    assert sheet.formula.startswith("G_l = mean of h_l^2") and sheet.formula.splitlines()[-1].startswith("u_l = ")
    assert (sheet.isolation, sheet.coupling) == ("local", "none")
    assert sheet.views == ("positive", "negative") and sheet.extra == () and sheet.label_sweep
    assert sheet.defaults == {"backbone": "mlp", "fit.lr": 2e-3}
    assert sheet.command == "python -m ffzoo.eval --algo vanilla_ff"
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
    assert (sheet.name, sheet.aliases, sheet.card, sheet.module) == ("somebodys", ("an_alias",), CARD, __name__)
    assert (sheet.intro, sheet.formula) == ("What it learns from:", "dw = h x\n  less w")
    assert (sheet.isolation, sheet.coupling, sheet.fusion) == ("local", "feedback", "last")
    assert sheet.views == ("positive", "modulated") and sheet.choices == () and not sheet.label_sweep
    with ffzoo.use(plugin(Algorithm)):
        assert describe("somebodys").views == ("positive",)


def test_somebody_elses_algorithm_needs_no_card():
    with ffzoo.use(plugin(LEARNED)):
        sheet = describe("somebodys")
    assert sheet.card is None and sheet.formula == "" and sheet.module == "" and sheet.distribution == ""
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


# ---------------------------------------------------------------- errors


def test_an_unknown_algorithm_names_its_neighbours():
    with pytest.raises(UnknownNameError, match="did you mean 'dtg_ff'"):
        describe("dtgff")


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("nowhere:CARD", "card of algorithm 'somebodys'.*cannot be loaded: ModuleNotFoundError"),
        ("ffzoo_bp.card:NOTHING", "AttributeError"),
        ("ffzoo_bp.options:BP", "expected an ffzoo.card.Card"),
        (3, "is 3; expected an ffzoo.card.Card"),
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
        ({"year": "2020"}, "year is '2020'; expected int"),
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
    signs = [view.sign for view in algorithm._views(Batch(x, y, generator=generator))]
    assert len(signs) == len(sheet.views)
    assert signs == [{"positive": 1, "second positive": 1, "negative": -1, "neutral label": 0}[v] for v in sheet.views]
    assert sheet.label_sweep == (algorithm.score_kind == "sample" and algorithm.fusion_head.reads == "scores")


def test_reading_cards_and_listing_import_no_torch():
    code = """
import importlib, sys
import ffzoo.card, ffzoo.card_view
from ffzoo.eval import main
from ffzoo.loader import ZOO
for entry in ZOO["algorithms"]:
    ffzoo.card.card_of(entry)
main(["--list"])
sys.exit("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- the command


def shown(capsys, *arguments):
    assert command(["card", *arguments]) == 0
    return capsys.readouterr().out


def test_the_command_prints_a_card(capsys):
    with ffzoo.use(plugin(Local, card=CARD)):
        text = shown(capsys, "somebodys")
    for words in (
        "somebodys, an_alias",
        "A Paper of Paper",
        "Doe 2020, https://example.org/paper",
        "abstract (the paper's abstract",
        "a reconstruction: neither the paper's full text nor the authors' code was at hand",
        "local: the gradient stops at every block",
        "feedback",
        "A block [red] learns alone.",
        "2 forward passes (positive, modulated)",
        "\n  What it learns from:\n  dw = h x\n    less w\n",
        "after [bold] a while",
        "- The first departure is told.",
        "- A remark [dim] in brackets.",
        "python -m ffzoo.eval --algo somebodys",
    ):
        assert words in text
    assert re.search(r"mnist +97\.25 +MLP +memory", text)
    assert not re.search(r"[ \t]$", text, re.MULTILINE), "blanks at the end of a line"


def test_the_command_says_that_there_is_no_card(capsys):
    with ffzoo.use(plugin(LEARNED)):
        text = shown(capsys, "somebodys")
    assert "brings no card" in text and "Doe 2020" in text and "projection=learned" in text
    assert "reconstruction" not in text and "departures" not in text


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_card_fits_the_terminal(name, width, monkeypatch):
    from rich.console import Console

    from ffzoo import terminal

    out = Console(file=io.StringIO(), width=width, highlight=False)
    monkeypatch.setattr(terminal, "console", lambda: out)
    assert command(["card", name]) == 0
    text = out.file.getvalue()
    sheet = describe(name)
    assert all(len(line) <= min(width, 100) for line in text.splitlines())
    flat = " ".join(text.split())
    assert all(" ".join(line.split()) in flat for line in sheet.formula.splitlines())
    assert all(" ".join(line.split()) in flat for line in sheet.card.departures)
    assert ("a reconstruction" in flat) == sheet.card.reconstruction
    assert all(f"{figure.accuracy:g}" in flat for figure in sheet.card.published)


def test_several_cards_as_json(capsys):
    found = json.loads(shown(capsys, "dtg_ff", "bp", "--json"))
    assert [sheet["name"] for sheet in found] == ["dtg_ff", "bp"]
    assert found[0]["card"]["reconstruction"] is True and found[0]["views"] == ["positive"]
    assert found[0]["choices"][0]["options"]["temperature"] == "learned"
    assert re.findall(r"--algo (\w+)", shown(capsys, "dtg_ff", "bp")) == ["dtg_ff", "bp"]


def test_the_commands_errors_are_one_line(capsys):
    assert command(["card", "bp", "dtgff"]) == 2
    out, err = capsys.readouterr()
    assert err == "error: unknown algorithm 'dtgff': did you mean 'dtg_ff' or 'dtg_ff_gap'?\n" and not out
    with ffzoo.use(plugin(LEARNED, card="nowhere:CARD")):
        assert command(["card", "somebodys"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_is_in_the_usage(capsys):
    assert command(["--help"]) == 0
    assert re.search(r"^  card +\w", capsys.readouterr().out, re.MULTILINE)
    assert command(["crad"]) == 2
    assert "did you mean 'card'" in capsys.readouterr().err


def test_a_long_line_of_a_formula_goes_on_under_its_comment():
    lines = str(card_view._formula("z = P a            " + "word " * 20, 60)).splitlines()
    assert len(lines) > 1 and all(len(line) <= 60 for line in lines)
    assert lines[0].startswith("  z = P a            word") and all(
        line.startswith(" " * 21 + "word") for line in lines[1:]
    )


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_fits_the_terminal(width, monkeypatch):
    from rich.console import Console

    from ffzoo import terminal

    out = Console(file=io.StringIO(), width=width, highlight=False)
    monkeypatch.setattr(terminal, "console", lambda: out)
    print_list()
    lines = out.file.getvalue().splitlines()
    assert all(len(line) <= width and line == line.rstrip() for line in lines)
    names = [line.split()[0] for line in lines if re.match(r"  \S", line)]
    assert names[: len(ffzoo.list_algorithms())] == ffzoo.list_algorithms()
    assert any("Chen 2026" in line for line in lines) == (width == 120)
    assert "ffzoo card NAME" in lines[-1]


@pytest.mark.parametrize(
    ("paper", "short"),
    [
        ("Chen 2026, arXiv:2606.06539", "Chen 2026"),
        ("Belilovsky, Eickenberg and Oyallon 2020, arXiv:1901.08164", "Belilovsky, Eickenberg and Oyallon 2020"),
        ("an example", "an example"),
        ("arXiv:2019.00001", "arXiv:2019"),
        ("", ""),
    ],
)
def test_authors_and_year(paper, short):
    assert authors_and_year(paper) == short


# ---------------------------------------------------------------- the pages


def test_every_shipped_algorithm_has_a_page(zoo_pages, tmp_path):
    (tmp_path / "gone.md").write_text("of an algorithm that is no more", encoding="utf-8")
    zoo_pages.write(tmp_path)
    assert sorted(path.stem for path in tmp_path.glob("*.md")) == sorted(ALGORITHMS)
    for name in ALGORITHMS:
        sheet, text = describe(name), (tmp_path / f"{name}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {name}\n") and f"$ {sheet.command}\n" in text and sheet.formula in text
        assert (":::{admonition} Reconstruction" in text) == sheet.card.reconstruction
        assert text.count("\n- ") == len(sheet.card.departures) + len(sheet.card.remarks)
        for choice in sheet.choices:
            assert all(f"| `{choice.key}.{option}`".replace("`.", "`") in text for option in choice.options)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.md")}
    zoo_pages.write(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.md")}, "pages that did not change"


def test_text_of_a_card_is_safe_in_markdown(zoo_pages):
    assert zoo_pages.md("a_b * c | `d_e` <f> h^2") == r"a\_b \* c \| `d_e` \<f\> h\^2"
    text = zoo_pages.prose("dtg_ff_gap with loss.scale=dim, unlike dtg_ff; ``x_y`` too.", "dtg_ff")
    assert text == r"[`dtg_ff_gap`](dtg_ff_gap.md) with `loss.scale=dim`, unlike `dtg_ff`; `x_y` too."


def test_the_overview_names_every_algorithm_once(zoo_pages):
    rules, _, baselines = zoo_pages.overview().partition("Baselines")
    for name in ALGORITHMS:
        there, elsewhere = (baselines, rules) if describe(name).card.baseline else (rules, baselines)
        assert there.count(f"[`{name}`]") == 1 and f"[`{name}`]" not in elsewhere
    row = next(line for line in rules.splitlines() if "[`vanilla_ff`]" in line)
    assert row.endswith("| 2022 | local | none | 2, K to predict | third party | yes |")


def test_the_family_is_read_from_the_recipes(zoo_pages):
    members = [sheet.name for sheet, _ in zoo_pages.family()]
    assert {"dtg_ff", "dtg_ff_gap", "nokland_pred"} <= set(members)
    assert not {"vanilla_ff", "dgl", "bp", "bp_deepsup"} & set(members)
    header, _, *rows = zoo_pages.family_options().splitlines()
    columns = [cell.strip(" `") for cell in header.strip("|").split("|")]
    dtg = next(row for row in rows if "[`dtg_ff`]" in row)
    values = dict(zip(columns, (cell.strip() for cell in dtg.strip("|").split("|")), strict=True))
    assert (values["power"], values["grid"], values["projection"], values["temperature"]) == (
        "2",
        "4",
        "random",
        "learned",
    )
    assert values["forward norm"] == "auto" and "t_max" not in values, "an option on which no two rules differ"


class Waves(Goodness):
    """A class goodness with a matrix of its own."""

    kind = "class"
    family: ClassVar = {"power": 1, "grid": 2}


class Subclass(projection.Projection):
    """The class goodness under another name, and with other options."""


@dataclasses.dataclass(frozen=True)
class SubclassOptions:
    """Options that leave out how it pools."""

    grid: int = 1


def test_a_goodness_can_say_that_it_belongs_to_the_family(zoo_pages):
    recipe = Recipe(terms=(Term("ripples", "cross_entropy"),))
    with shipping(plugin(recipe, [("goodness", "ripples", Waves)], card=CARD)):
        cells = zoo_pages.family_cells()
        row = next(line for line in zoo_pages.family_options().splitlines() if "[`somebodys`]" in line)
    assert cells.splitlines()[0].endswith("| ripples |")
    assert cells.splitlines()[3].endswith("[`somebodys`](zoo/somebodys.md) |")
    assert row.startswith("| [`somebodys`](zoo/somebodys.md) | 1 | 2 |") and " ripples |" in row
    recipe = Recipe(terms=(Term("subclass", "cross_entropy"),))
    module = plugin(recipe, card=CARD)
    module.register_goodness = registering("subclass", Subclass, config=SubclassOptions)
    with shipping(module), pytest.raises(PluginError, match="belongs to the family but has no power"):
        zoo_pages.family()


def test_every_rule_of_the_family_has_a_cell_and_the_others_are_empty(zoo_pages):
    header, _, *rows = zoo_pages.family_cells().splitlines()
    kinds = [cell.strip() for cell in header.strip("|").split("|")][1:]
    cells = {}
    for row in rows:
        title, *found = (cell.strip() for cell in row.strip("|").split("|"))
        cells |= {(title, kind): cell for kind, cell in zip(kinds, found, strict=True)}
    assert len(cells) == 4 * len(kinds)
    assert "[`dtg_ff`]" in cells["h² on patches", "random"]
    assert "[`dtg_ff_gap`]" in cells["h averaged over the map", "random"]
    assert "[`nokland_pred`]" in cells["h on patches", "learned"]
    text = " ".join(cells.values())
    assert all(text.count(f"[`{sheet.name}`]") == 1 for sheet, _ in zoo_pages.family())
    assert all(cell == zoo_pages.NOBODY or "zoo/" in cell for cell in cells.values())
    assert zoo_pages.NOBODY in cells.values()


def test_an_algorithm_below_the_floor_says_why():
    """The floor is a linear readout of random features, on the leaderboard that is committed."""
    lines = (Path(__file__).parents[1] / "docs" / "results" / "digits" / "cells.jsonl").read_text().splitlines()
    runs: dict[str, list[float]] = {}
    for line in lines:
        cell = json.loads(line)
        name, _, seed = cell["key"].removeprefix("digits, ").partition(": seed ")
        if seed and "accuracy" in cell["value"]:
            runs.setdefault(name, []).append(cell["value"]["accuracy"])
    assert all(len(of_rule) == 5 for of_rule in runs.values()) and len(runs) >= 49
    floor = statistics.fmean(runs["random_features"])
    for name, accuracies in runs.items():
        if statistics.fmean(accuracies) < floor:
            remarks = " ".join(card_of(ZOO["algorithms"].get(name)).remarks).lower()
            assert "random features" in remarks, name
