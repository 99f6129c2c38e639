"""Cards on the terminal, and the list of algorithms."""

from __future__ import annotations

import io
import json
import re

import pytest
from cards import ALGORITHMS, CARD, LEARNED, Local, plugin

import ffzoo
from ffzoo.algorithms.sheet import describe
from ffzoo.cli import card as card_view
from ffzoo.cli.listing import authors_and_year, print_list
from ffzoo.cli.main import main as command


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
        "ffzoo train --algo somebodys",
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

    from ffzoo.run import terminal

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
    assert err == "error: unknown algorithm 'dtgff': did you mean 'dtg_ff'?\n" and not out
    with ffzoo.use(plugin(LEARNED, card="nowhere:CARD")):
        assert command(["card", "somebodys"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_is_in_the_usage(capsys):
    assert command(["--help"]) == 0
    assert re.search(r"^ +card +\w", capsys.readouterr().out, re.MULTILINE)
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

    from ffzoo.run import terminal

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
