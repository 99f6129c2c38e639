"""The board of CIFAR-10: search, seeds, what is left out, and its table."""

from __future__ import annotations

import numpy as np
import pytest

from ffzoo.bench.study import Study
from ffzoo_experiments.cifar_board import experiment
from ffzoo_experiments.cifar_board import report as board_report
from ffzoo_experiments.cifar_board.experiment import cifar_board
from ffzoo_experiments.cifar_board.options import CifarBoard
from ffzoo_experiments.cifar_board.report import Row, figures, tables


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A board of two algorithms on a tiny network and a data set that nobody published a figure on."""
    folder = tmp_path_factory.mktemp("board")
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8), np.arange(60) % 3
    np.savez(folder / "d.npz", x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])
    options = CifarBoard(
        algos=("bp", "dtg_ff"),
        dataset=f"npz:{folder / 'd.npz'}",
        seeds=(0, 1),
        best=1,
        factors=(0.3, 1.0),
        epochs=1,
        search_size=30,
        workers=1,
    )
    study = Study("cifar_board", options, folder / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "NETWORK", {"backbone.widths": [8, 8]})
        yield options, folder / "out", cifar_board(options, study)


def test_the_validation_part_chooses_the_rate_and_the_best_get_every_seed(made):
    options, folder, report = made
    cells = Study("cifar_board", options, folder, reads_only=True)._cells
    for name in ("bp", "dtg_ff"):
        tried = {f: cells[f"{name}: rate x {f:g}"] for f in options.factors}
        assert {cell["test_reads"] for cell in tried.values()} == {0}
        best = max(tried, key=lambda f: tried[f]["test_accuracy"])
        row = next(row for row in report.data["rows"] if row["name"] == name)
        assert row["factor"] == best and cells[f"{name}: seed 0"]["test_reads"] == 1
        assert cells[f"{name}: seed 0"]["lr"] == pytest.approx(0.005 * best)
    more = [key for key in cells if key.endswith("seed 1")]
    first = max(("bp", "dtg_ff"), key=lambda name: cells[f"{name}: seed 0"]["validation_accuracy"])
    assert more == [f"{first}: seed 1"], "one best, and none has a figure on this data set"


def test_the_page_is_drawn_again_from_its_cells_and_from_a_part_of_them(made, tmp_path):
    options, folder, report = made
    again = cifar_board(options, Study("cifar_board", options, folder, reads_only=True))
    assert again.data == report.data and again.tables == report.tables
    lines = (folder / "cells.jsonl").read_text().splitlines()
    (tmp_path / "cells.jsonl").write_text("".join(line + "\n" for line in lines if "dtg_ff" not in line))
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    part = cifar_board(options, Study("cifar_board", options, tmp_path, reads_only=True))
    assert [row["name"] for row in part.data["rows"]] == ["bp"]
    assert any("dtg_ff: rate x 1: not computed" in note for note in part.notes)


def cell(accuracy, flops, local):
    return {
        "test_accuracy": accuracy,
        "train_flops": flops,
        "saved_activation_bytes": 2**21,
        "train_seconds": 60.0,
        "strictly_local": local,
    }


def test_the_table_has_what_was_measured_best_first_and_the_published_figure():
    published = board_report.Published("cifar10", 91.8, "some CNN", "abstract")
    rows = [
        Row("weak", 0.3, (cell(0.5, 2e12, True),), published),
        Row("bp", 1.0, (cell(0.90, 4e12, False), cell(0.92, 4e12, False)), None),
        Row("dear", 1.0, (cell(0.4, 9e12, True),), None),
    ]
    (table,) = tables(rows)
    assert table.rows[0] == ("bp", "91.00 ± 1.41", "2", "1", "0.0040", "2", "60", "no", "-")
    assert table.rows[1] == ("weak", "50.00", "1", "0.3", "0.0020", "2", "60", "yes", "91.8 (some CNN)")
    assert board_report.verdicts(rows) == (
        "of the strictly local rules weak has most, 50.00 % (mean of 1); bp has 91.00 %",
    )
    assert len(figures(rows)) == 1
    counted = [(row, row.of("train_flops", 1e15)) for row in rows]
    assert board_report._named(counted) == {"weak", "bp", "random_features"}
