"""The pages that are made of cards."""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
from pathlib import Path
from typing import ClassVar

import pytest
from cards import ALGORITHMS, CARD, plugin, registering, shipping

from ffzoo import Recipe, Term
from ffzoo.algorithms.sheet import card_of, describe
from ffzoo.errors import PluginError
from ffzoo.parts import projection
from ffzoo.parts.base import Goodness
from ffzoo.registry.loader import ZOO

DOCS = Path(__file__).resolve().parent.parent / "docs"


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


def test_own_results_on_a_page_are_those_of_its_cells(zoo_pages):
    cells = (DOCS / "results" / "digits" / "cells.jsonl").read_text(encoding="utf-8").splitlines()
    runs = [c["value"]["accuracy"] for c in map(json.loads, cells) if re.match(r"digits, dtg_ff: seed", c["key"])]
    assert len(runs) == 5
    shown = re.search(r"\| digits \| ([\d.]+) \[([\d.]+), ([\d.]+)\] \| 5 \| yes \|", zoo_pages.pages()["dtg_ff.md"])
    mean, low, high = map(float, shown.groups())
    assert mean == pytest.approx(100 * statistics.fmean(runs), abs=0.005) and low < mean < high
    assert "## Own results" in zoo_pages.pages()["greedy_infomax.md"]


def test_seeds_of_single_runs_belong_together_and_an_interval_stays_possible(zoo_pages):
    of_rule = zoo_pages.own_results.of("dtg_ff")
    strong = [r for r in of_rule if "whitened_cnn" in r.regime and r.dataset == "cifar10"]
    assert [len(r.accuracies) for r in strong] == [3]
    wide = next(r for r in zoo_pages.own_results.of("pepita") if r.dataset == "fashion_mnist")
    assert " [0.00, " in str(wide), "no accuracy is below zero"


def test_the_board_has_every_algorithm_of_the_leaderboard_once(zoo_pages):
    cells = [path.read_text(encoding="utf-8") for path in (DOCS / "results").glob("*mnist/cells.jsonl")]
    run = sorted(name for name in ALGORITHMS if any(f"mnist, {name}: seed" in text for text in cells))
    assert len(run) >= 51
    header, _, *rows = zoo_pages.board().splitlines()
    assert "| digits | MNIST | Fashion-MNIST |" in header
    assert sorted(re.match(r"\| \[`(\w+)`\]\(zoo/\1\.md\)", row)[1] for row in rows) == run


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
