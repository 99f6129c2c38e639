"""``ffzoo.compare``, and what an evaluation shows: data frame, LaTeX, figure, notebook."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import ffzoo
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.bench import compared
from ffzoo.errors import DivergedError, OptionError, PluginError, UnknownNameError
from ffzoo.plugin import Projection, Recipe, Term
from ffzoo.registry.loader import ZOO
from ffzoo.run import runner

MINE = Recipe(terms=(Term(Projection(power=1, grid=1), "cross_entropy"),), fusion="last")
SMALL = {"data.train_size": 150, "data.test_size": 60, "backbone.width": 16, "backbone.depth": 2}


class GlobalRule(RecipeAlgorithm):
    """The same recipe without its cuts, as a class."""

    def __init__(self, backbone, num_classes, config, fit):
        super().__init__(backbone, num_classes, MINE.replace(isolation="none"), fit)


@pytest.fixture(scope="module")
def evaluation():
    return ffzoo.compare(
        {"mine": MINE, "global_rule": GlobalRule, "bp": "bp"}, epochs=2, seeds=2, trials=1, settings=SMALL
    )


def test_rules_of_a_notebook_are_compared_with_registered_ones(evaluation):
    names = [runs[0].algo for runs in (evaluation.runs, *(c.other.runs for c in evaluation.against))]
    assert names == ["mine", "global_rule", "bp"]
    assert [evaluation.strictly_local, evaluation.against[0].other.strictly_local] == [True, False]
    ours, theirs = ([r.test_accuracy for r in runs] for runs in (evaluation.runs, evaluation.against[0].other.runs))
    assert evaluation.against[0].gap.mean == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert {r.seed for r in evaluation.runs} == {0, 1} and evaluation.runs[0].search_trials == 1
    with pytest.raises(UnknownNameError):  # nothing of it stays
        ZOO["algorithms"].get("mine")
    assert list(compared._named([MINE, GlobalRule])) == ["recipe", "global_rule"]


def test_each_is_trained_at_the_rate_that_validation_data_choose(monkeypatch):
    trained = []

    def run_all(runs, **options):
        trained.append([(r.algorithm.name, round(r.fit.lr / own[r.algorithm.name], 2), r.data.test) for r in runs])
        if runs[0].data.test == "test":
            return made
        if runs[0].algorithm.name == "bp" and trained[-1][0][1] > 1:
            raise DivergedError("too large")
        return ffzoo.Evaluation((type("R", (), {"test_accuracy": runs[0].fit.lr})(),))

    own = {"recipe": 0.001, "bp": 0.001}
    made = ffzoo.evaluate("bp", epochs=1, settings=SMALL)
    monkeypatch.setattr(runner, "run_all", run_all)
    ffzoo.compare([MINE, "bp"], epochs=1, seeds=[3, 4], trials=3, settings=SMALL)
    tried = [("recipe", f, "validation") for f in (0.32, 1, 3.16)] + [("bp", f, "validation") for f in (0.32, 1, 3.16)]
    assert [run for (run,) in trained[:-1]] == tried
    assert trained[-1] == [("recipe", 3.16, "test")] * 2 + [("bp", 1, "test")] * 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"algos": ["bp"]}, "expected at least two"),
        ({"algos": ["bp", "bp"]}, "'bp' twice"),
        ({"algos": ["bp", 3]}, "expected a name, a Recipe or a subclass"),
        ({"algos": {"mine": "bp", "dtg_ff": "dtg_ff"}}, "under its own name"),
        ({"algos": ["bp", MINE], "settings": {"goodness.grid": 2}}, "an option of one algorithm"),
        ({"algos": ["bp", MINE], "trials": 0}, "trials is 0"),
        ({"algos": ["bp", MINE], "seeds": 0}, "seeds is 0"),
    ],
)
def test_what_cannot_be_compared_is_said(options, expected):
    with pytest.raises(OptionError, match=expected):
        ffzoo.compare(**options)


def test_a_rule_under_a_taken_name_is_refused():
    with pytest.raises(PluginError, match="bp"):
        ffzoo.compare({"bp": MINE, "dtg_ff": "dtg_ff"}, epochs=1, seeds=1, trials=1, settings=SMALL)


def test_a_data_frame_has_a_row_for_each_run(evaluation):
    frame = evaluation.to_dataframe()
    assert list(frame["algo"]) == ["mine"] * 2 + ["global_rule"] * 2 + ["bp"] * 2
    np.testing.assert_allclose(frame.groupby("algo")["test_accuracy"].mean()["mine"], evaluation.test_accuracy)
    np.testing.assert_allclose(frame["test_accuracy_1"][0], evaluation.runs[0].per_block_accuracy[0])
    assert {"seed", "epochs", "strictly_local", "train_seconds", "search_trials"} <= set(frame.columns)


def test_without_pandas_it_says_what_to_install(evaluation, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OptionError, match=r"pip install 'ffzoo\[pandas\]'"):
        evaluation.to_dataframe()


def test_latex_has_means_and_gaps_in_points(evaluation):
    lines = evaluation.to_latex().splitlines()
    gap = evaluation.against[0].gap
    rule = next(line for line in lines if line.startswith(r"global\_rule"))
    cells = [cell.strip() for cell in rule.removesuffix(r" \\").split("&")]
    assert cells[1].startswith(f"${100 * evaluation.against[0].other.test_accuracy:.2f} \\pm ")
    assert cells[2] == f"${100 * gap.mean:+.2f} [{100 * gap.low:+.2f}, {100 * gap.high:+.2f}]$" and cells[3] == "no"
    assert next(line for line in lines if line.startswith("mine")).count("&") == 3 and "{lccc}" in lines[0]
    assert "minus it" not in ffzoo.Evaluation(evaluation.runs).to_latex()


def test_a_notebook_shows_a_table_and_a_figure(evaluation):
    html = evaluation._repr_html_()
    assert html.count("<tr>") == 4 and html.count("</td>") == 3 * 6 and "global_rule" in html
    assert f"{100 * evaluation.test_accuracy:.2f} ±" in html
    figure = evaluation.plot()
    points = [line.get_xdata() for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(points[0], [100 * r.test_accuracy for r in evaluation.runs])
    words = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert words[0] == "mine" and re.search(r"mine minus it: [+-]\d+\.\d\d \[", words[1])
    assert figure._repr_png_().startswith(b"\x89PNG")
