"""``python -m ffzoo.report``: pages of finished studies, nothing computed, what is wrong left out by name."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure as Canvas

from ffzoo.bench.__main__ import main as bench
from ffzoo.bench.claims import Claim, verdict
from ffzoo.bench.page import Section, _summary
from ffzoo.bench.report import Figure, Report, Verdict, side_by_side
from ffzoo.measure.statistics import Gap
from ffzoo.report import main

CLAIMS = Path(__file__).resolve().parent.parent / "docs" / "results" / "claims"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    options = ["--scale", "smoke", "--set", "workers=1", "--quiet"]
    assert bench(["e5", *options, "--out", str(folder / "e5")]) == 0
    return folder


def test_pages_tables_and_figures(results, tmp_path, capsys):
    assert main([str(results), "--out", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"report.md", "index.html", "e5-1.csv", "e5-2.csv", "e5-gaps.png", "e5-gaps.svg"}
    assert (tmp_path / "report.md").read_text() == (results / "e5" / "e5.md").read_text()
    page = (tmp_path / "index.html").read_text()
    assert not re.search(r'(src|href)="(?!data:image/png;base64,|#)', page), "the page needs another file"
    assert page.count("<table>") == 2 and page.count('class="verdict"') == 2
    rows = list(csv.reader((tmp_path / "e5-2.csv").open()))
    assert rows[0][0] == "condition" and [row[0] for row in rows[1:]] == ["10 outputs", "40 outputs"]
    assert "e5: Verdict: inconclusive" in capsys.readouterr().out


def test_more_than_one_study_begins_with_a_line_each_in_their_order(results, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    for name in ("e10", "e5"):
        (folder / name).symlink_to(results / "e5")
    assert main([str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    page = (tmp_path / "out" / "report.md").read_text()
    head = page[: page.index("# e5")]
    assert re.findall(r"^\| (e\d+) .* \| 2 inconclusive \|$", head, re.M) == ["e5", "e10"]
    assert page.index("# e5\n") < page.index("# e10\n")
    found = re.findall(r'<a href="#(\w+)">e', (tmp_path / "out" / "index.html").read_text())
    assert found == ["e5", "e10"]


def test_the_page_begins_with_a_line_for_each_claim_that_somebody_makes(results, tmp_path):
    """A hypothesis of the library's own, such as those of e5, is none."""
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "e5").symlink_to(results / "e5")
    assert bench(["e9", "--scale", "smoke", "--quiet", "--out", str(folder / "e9")]) == 0
    assert main([str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    page = (tmp_path / "out" / "report.md").read_text()
    table = page[: page.index("| study |")]
    assert re.findall(
        r"^\| (.*) \| (.*) \| ([\d.]+) times, counted \| \[inconclusive\]\(#(\w+)\) \|$", table, re.M
    ) == [
        (
            "the activation memory of a local rule does not grow with depth",
            "FF streaming, depth 2 to 4",
            "1.00",
            "e9",
        )
    ], table
    assert "does not grow with depth</td>" in (tmp_path / "out" / "index.html").read_text()


def test_of_a_study_that_goes_on_the_page_has_what_is_there(results, tmp_path):
    """Claims on cells that nobody trained yet are no verdicts, and one line says how many cells are to come."""
    folder = tmp_path / "results" / "e5"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text((results / "e5" / "config.json").read_text())
    lines = (results / "e5" / "cells.jsonl").read_text().splitlines(keepends=True)
    (folder / "cells.jsonl").write_text("".join(lines[:2]))
    assert main([str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    page = (tmp_path / "out" / "report.md").read_text()
    assert re.search(rf"^- Not computed yet: .* and {len(lines) - 3} cells more\.$", page, re.M), page
    assert "no seed has all cells" not in page


def test_a_verdict_has_the_parts_that_a_table_needs():
    claim = Claim("dtg_ff", "bp", -1, "mean", ("cifar10",), published=-2.4)
    line = verdict(claim, Gap(-3.0, -4.0, -2.0, 3), ["cifar10"], training="cpu scale, cnn, 8 epochs")
    assert isinstance(line, Verdict)
    assert (line.word, line.claim) == ("reproduced", "dtg_ff is behind bp")
    assert (line.regime, line.estimate) == (
        "cifar10; cpu scale, cnn, 8 epochs",
        "-3.00 [-4.00, -2.00] points; the published -2.40 is inside the interval",
    )
    grows = Claim("dtg_ff", "bp", 1, "trend", "synthetic")
    assert (
        verdict(grows, Gap(0.1, -0.2, 0.4, 5), ["a", "b"], "classes K").claim
        == "dtg_ff gains ground on bp over classes K"
    )
    assert verdict(grows, None, ["a", "b"], "classes K").estimate == "not measured"
    assert not isinstance(verdict(replace(claim, made=False), Gap(-3.0, -4.0, -2.0, 3), ["x"]), Verdict)


def test_a_verdict_of_another_kind_is_said_whole():
    verdicts = ("inconclusive: a", "digits: mine has most", "inconclusive: b")
    rows = _summary([Section("x", "x", Report({}, verdicts=verdicts))])
    assert rows == [("x", "", "2 inconclusive, digits: mine has most")]


def test_a_wrong_cell_is_named_on_the_page(results, tmp_path):
    folder = tmp_path / "results" / "e5"
    folder.mkdir(parents=True)
    lines = [json.loads(line) for line in (results / "e5" / "cells.jsonl").read_text().splitlines()]
    del lines[0]["value"]["test_accuracy"]
    (folder / "cells.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "config.json").write_text((results / "e5" / "config.json").read_text())
    assert main([str(tmp_path / "results"), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    for page in ("report.md", "index.html"):
        assert "Left out: 10 outputs, dtg_ff: seed 0: key" in (tmp_path / "out" / page).read_text()


def test_a_study_that_cannot_be_read_is_named_and_the_others_are_reported(results, tmp_path, capsys):
    folder = tmp_path / "results"
    (folder / "broken").mkdir(parents=True)
    (folder / "broken" / "config.json").write_text("[]")
    (folder / "e5").symlink_to(results / "e5")
    assert main([str(folder), "--out", str(tmp_path / "out")]) == 1
    assert "left out: broken: config.json is not a study's" in capsys.readouterr().err
    assert "Left out: broken" in (tmp_path / "out" / "report.md").read_text()
    assert (tmp_path / "out" / "e5-1.csv").exists()


def test_no_study_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "holds no study" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_cells_of_another_version_are_named_and_the_others_are_reported(results, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "e5").symlink_to(results / "e5")
    assert bench(["e9", "--scale", "smoke", "--quiet", "--out", str(folder / "e9")]) == 0
    lines = [json.loads(line) for line in (folder / "e9" / "cells.jsonl").read_text().splitlines()]
    del lines[0]["value"]["saved_activation_bytes"]
    (folder / "e9" / "cells.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main([str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    page = (tmp_path / "out" / "report.md").read_text()
    assert "Left out: e9: its cells are not of this version: KeyError" in page and "# e5" in page


def test_figures_side_by_side_have_equal_vertical_axes():
    def figure(top: float) -> Figure:
        return Figure("gaps", "a caption", lambda canvas: canvas.subplots().plot([0, 1], [0, top]))

    canvas = Canvas()
    side_by_side({"small": figure(1.0), "large": figure(50.0)}).draw(canvas)
    limits = {ax.get_ylim() for part in canvas.subfigs for ax in part.axes}
    assert len(limits) == 1 and limits.pop()[1] >= 50


@pytest.mark.slow
def test_the_page_of_the_claims_is_what_its_cells_give(tmp_path):
    assert main([str(CLAIMS), "--out", str(tmp_path), "--quiet"]) == 0
    made = [path for path in tmp_path.iterdir() if path.suffix in (".md", ".csv")]
    assert made and not [path.name for path in made if path.read_text() != (CLAIMS / path.name).read_text()]
