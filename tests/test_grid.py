"""Grids: fair or refused, each cell trained once however often the runner is killed, wrong cells left out."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ffzoo.bench.comparison import _at_an_end
from ffzoo.bench.grid import Arm, Condition, Found, Grid, fingerprint, planned, refuse_unfair, run_grid, why_invalid
from ffzoo.bench.options import Comparison
from ffzoo.bench.study import CELLS, Study
from ffzoo.errors import CheckpointError, OptionError
from ffzoo.run.runner import run_all

ARMS = (Arm("local", "dtg_ff"), Arm("twin", "bp_deepsup"))
TASK = Condition(
    "toy",
    "teacher_student",
    {"data.samples": 100, "data.test_samples": 50, "backbone.width": 8, "backbone.depth": 2},
    2.0,
    ("data.teacher_seed",),
)
GRID = Grid(ARMS, (TASK,), (0, 1), (1.0, 3.0), "mlp", 1, 32)


def study(out: Path | None = None, **options) -> Study:
    return Study("toy", None, out, **options)


def cells(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / CELLS).read_text().splitlines()]


def without_times(value: dict) -> dict:
    return {key: v for key, v in value.items() if key != "train_seconds"}


# ------------------------------------------------------------------ fairness


def test_arms_share_everything_but_the_algorithm_and_the_searched_rate():
    one, two = (planned(GRID, TASK, arm, 1, 3.0, False).to_json() for arm in ARMS)
    assert {key for key in one if one[key] != two[key]} == {"algo", "algorithm"}
    assert one["dataset_options"]["teacher_seed"] == one["fit"]["seed"] == 1
    search = planned(GRID, TASK, ARMS[0], 0, 1.0, True)
    assert search.data.test == "validation" and planned(GRID, TASK, ARMS[0], 0, 1.0, False).data.test == "test"


def test_cells_of_before_an_option_came_are_still_of_their_configuration():
    digits = Condition("digits", "digits", {})
    run = planned(Grid(ARMS[:1], (digits,), (0,)), digits, ARMS[0], 0, 1.0, False)
    assert fingerprint(run) == "8eb589ab79e159b3"  # before data.test_shift and Winograd convolutions
    other = dataclasses.replace(run, execution=dataclasses.replace(run.execution, convolution="winograd"))
    assert fingerprint(other) != fingerprint(run)


@pytest.mark.parametrize("key", ["fit.epochs", "backbone.width", "data.samples"])
def test_an_arm_cannot_have_a_setting_of_its_own(key):
    grid = dataclasses.replace(GRID, arms=(ARMS[0], Arm("bigger", "bp", {key: 50})))
    with pytest.raises(OptionError, match=f"'bigger' sets {key} for itself alone"):
        run_grid(grid, study())


def test_algorithms_whose_own_defaults_differ_are_refused_by_name(monkeypatch):
    from ffzoo.registry.loader import ZOO

    monkeypatch.setitem(ZOO["algorithms"].get("bp").tags, "defaults", {"fit.weight_decay": 0.3})
    grid = dataclasses.replace(GRID, arms=(ARMS[0], Arm("bp", "bp")))
    with pytest.raises(OptionError, match=r"local has fit.weight_decay = .* and bp has 0.3: an unfair comparison"):
        run_grid(grid, study())


# ------------------------------------------------------------------ the runner


def test_the_search_chooses_on_the_validation_part_and_the_test_part_is_read_once(tmp_path):
    found = run_grid(GRID, study(tmp_path / "a"))
    values = {cell["key"]: cell["value"] for cell in cells(tmp_path / "a")}
    assert len(values) == 2 * (2 + 2)
    for arm in ("local", "twin"):
        tried = {factor: values[f"toy, {arm}: rate x {factor:g}"] for factor in GRID.factors}
        assert all(trial["test_reads"] == 0 for trial in tried.values())
        best = max(tried, key=lambda factor: tried[factor]["test_accuracy"])
        assert found.factors["toy"][arm] == best
        for seed, run in found.runs["toy"][arm].items():
            assert run["seed"] == seed and run["test_reads"] == 1
            assert run["lr"] == best * tried[1.0]["lr"]
    assert found.left_out == () and not (tmp_path / "a" / "unfinished").exists()


def test_processes_side_by_side_find_the_same(tmp_path):
    run_grid(GRID, study(tmp_path / "one"))
    run_grid(GRID, study(tmp_path / "two"), workers=2)
    one, two = ({c["key"]: without_times(c["value"]) for c in cells(tmp_path / name)} for name in ("one", "two"))
    assert one == two
    assert not (tmp_path / "two" / "unfinished").exists()


def test_a_finished_study_is_read_without_computing(tmp_path):
    run_grid(GRID, study(tmp_path / "a"))
    before = (tmp_path / "a" / CELLS).read_bytes()
    assert len(run_grid(GRID, study(tmp_path / "a", reads_only=True)).runs["toy"]["twin"]) == 2
    more = run_grid(dataclasses.replace(GRID, seeds=(0, 1, 2)), study(tmp_path / "a", reads_only=True))
    assert more.left_out == ("toy, local: seed 2: not computed", "toy, twin: seed 2: not computed")
    assert (tmp_path / "a" / CELLS).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: v.pop("test_accuracy"), "key 'test_accuracy' is missing"),
        (lambda v: v.update(test_accuracy=float("nan")), "test_accuracy is nan; expected a finite number"),
        (lambda v: v.update(test_accuracy=97.5), "test_accuracy is 97.5; expected a fraction"),
        (lambda v: v.update(schema_version=99), "schema_version is 99; expected 2"),
        (lambda v: v.update(config_sha256="0"), "it was trained with another configuration"),
        (lambda v: v.update(lr="fast"), "lr is 'fast'; expected a finite number"),
    ],
)
def test_a_wrong_cell_is_reported_and_left_out_not_averaged(tmp_path, change, reason):
    run_grid(GRID, study(tmp_path / "a"))
    lines = cells(tmp_path / "a")
    wrong = next(line for line in lines if line["key"] == "toy, local: seed 1")
    change(wrong["value"])
    (tmp_path / "a" / CELLS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = run_grid(GRID, study(tmp_path / "a", reads_only=True))
    assert found.left_out == (f"toy, local: seed 1: {reason}",)
    assert list(found.runs["toy"]["local"]) == [0] and found.shared_seeds("toy", ["local", "twin"]) == [0]
    mended = run_grid(GRID, study(tmp_path / "a"))  # a study that computes makes it again
    assert mended.left_out == () and list(mended.runs["toy"]["local"]) == [0, 1]


def test_a_study_killed_in_its_first_cell_goes_on(tmp_path, monkeypatch):
    """The folder then holds an unfinished cell, and none that is stored."""
    from ffzoo.training import checkpoint

    def killed(*args):
        raise KeyboardInterrupt

    grid = dataclasses.replace(GRID, arms=ARMS[:1], seeds=(0,), factors=(1.0,))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "save", killed)
        run_grid(grid, study(tmp_path / "a"))
    assert study(tmp_path / "a").scratch("toy, local: seed 0").folder.exists()
    assert not (tmp_path / "a" / CELLS).exists()
    assert list(run_grid(grid, study(tmp_path / "a")).runs["toy"]["local"]) == [0]


def test_a_checkpoint_that_is_damaged_is_begun_anew_and_no_refusal(tmp_path):
    grid = dataclasses.replace(GRID, arms=ARMS[:1], seeds=(0,), factors=(1.0,))
    folder = study(tmp_path / "a").scratch("toy, local: seed 0").folder
    run_all([planned(grid, TASK, ARMS[0], 0, 1.0, False)], out=folder)
    (folder / "result.json").unlink()
    (folder / "checkpoint.safetensors").write_bytes(b"broken")
    Study("toy", None, tmp_path / "b").cell("x", lambda: 1)
    (tmp_path / "a" / "config.json").write_text((tmp_path / "b" / "config.json").read_text())
    found = run_grid(grid, study(tmp_path / "a"))
    assert found.left_out == () and found.runs["toy"]["local"][0]["test_reads"] == 1


def test_a_device_that_is_not_there_is_no_refusal_of_the_algorithm(tmp_path):
    grid = dataclasses.replace(GRID, device="mps")
    with pytest.raises(OptionError, match="mps"):
        run_grid(grid, study(tmp_path / "a"))
    assert not (tmp_path / "a" / CELLS).exists()


def test_muons_rate_is_searched_with_the_other():
    task = dataclasses.replace(TASK, settings={**TASK.settings, "fit.optimizer": "muon"})
    one, three = (planned(GRID, task, ARMS[0], 0, factor, True).fit for factor in (1.0, 3.0))
    assert three.lr == 3 * one.lr and three.muon_lr == 3 * one.muon_lr


def test_a_cell_is_an_object():
    assert why_invalid([1]) == "a cell is list; expected an object"
    assert why_invalid({"schema_version": 2, "refused": "diverged", "config_sha256": "0"}) is None


def test_the_search_may_have_options_of_its_own_and_the_runs_do_not():
    grid = dataclasses.replace(GRID, search={"data.validation": 0.3})
    search, run = (planned(grid, TASK, ARMS[0], 0, 1.0, is_search) for is_search in (True, False))
    assert search.data.validation == 0.3 and run.data.validation == 0.1


def test_epochs_matched_in_operations_may_differ_and_nothing_else_may():
    grid = dataclasses.replace(GRID, matched_epochs={"toy": {"local": 2, "twin": 1}}, seeds=(0,), factors=(1.0,))
    found = run_grid(grid, study())
    equal = run_grid(dataclasses.replace(GRID, seeds=(0,), factors=(1.0,)), study())
    for arm, epochs in (("local", 2), ("twin", 1)):
        matched, plain = (runs.runs["toy"][arm][0]["train_flops"] for runs in (found, equal))
        assert matched == epochs * plain
    with pytest.raises(OptionError, match=r"'bigger' sets backbone\.width"):
        run_grid(dataclasses.replace(grid, arms=(ARMS[0], Arm("bigger", "bp", {"backbone.width": 50}))), study())
    with pytest.raises(OptionError, match=r"has fit.epochs = 2 and twin has 1: an unfair comparison"):
        runs = {arm.name: planned(grid, TASK, arm, 0, 1.0, False) for arm in ARMS}
        refuse_unfair(runs)


def width_of(algorithm, data, preprocess) -> dict:
    return {"width": algorithm.features(preprocess(data.test.images[:2]))[0].shape[1]}


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_measured_further_is_in_the_cell(tmp_path, kept):
    grid = dataclasses.replace(GRID, arms=ARMS[:1], factors=(1.0,), seeds=(0,), further=width_of)
    found = run_grid(grid, study(tmp_path / "a" if kept else None))
    assert found.runs["toy"]["local"][0]["further"] == {"width": 8}


def test_what_an_algorithm_refuses_is_left_out_with_its_words():
    grid = dataclasses.replace(GRID, arms=(ARMS[0], Arm("maps", "greedy_infomax")), factors=(1.0,), seeds=(0,))
    found = run_grid(grid, study())
    assert len(found.left_out) == 1 and "toy, maps: seed 0: " in found.left_out[0]
    assert found.shared_seeds("toy", ["local", "maps"]) == []


# ------------------------------------------------------------------ the command


def test_options_have_shorthands_and_wrong_ones_are_named(tmp_path, capsys):
    from ffzoo.bench.__main__ import main

    assert main(["e3", "--scale", "tiny"]) == 2
    assert "scale" in capsys.readouterr().err
    assert main(["speed", "--scale", "smoke"]) == 2
    assert "unknown option 'scale'" in capsys.readouterr().err
    assert main(["all", "--scale", "smoke", "--set", "speed=3"]) == 2
    assert "unknown option 'speed': none of e1, e2" in capsys.readouterr().err
    with pytest.raises(OptionError, match="each once"):
        Comparison(seeds=(1, 1))


def test_a_rate_at_an_end_of_the_search_is_said():
    grid = dataclasses.replace(GRID, factors=(0.3, 1.0, 3.0))
    best = dict(zip((arm.name for arm in ARMS), (0.3, 3.0, 1.0), strict=False))
    notes = _at_an_end(grid, Found({}, {TASK.name: best}, ()))
    first, second = list(best)[:2]
    assert notes == [
        f"The smallest rate tried was the best for {TASK.name} {first}.",
        f"The largest rate tried was the best for {TASK.name} {second}.",
    ]
    assert _at_an_end(dataclasses.replace(grid, factors=(1.0,)), Found({}, {TASK.name: best}, ())) == []


CLAIMS = [f"e{number}" for number in range(1, 14)]


def test_how_many_work_may_change_when_a_study_goes_on(tmp_path):
    folder = tmp_path / "a"
    Study("toy", Comparison(workers=1), folder).cell("x", lambda: 1)
    assert Study("toy", Comparison(workers=2), folder).cell("x", lambda: 2) == 1
    with pytest.raises(CheckpointError, match="begun with seeds"):
        Study("toy", Comparison(seeds=(3,)), folder)


def test_all_goes_on_behind_an_experiment_that_breaks(monkeypatch, tmp_path, capsys):
    from ffzoo.bench.__main__ import main
    from ffzoo.cli import bench as command

    made: list[str] = []

    def one(entry, settings, out, args):
        made.append(entry.name)
        if entry.name == "e2":
            raise RuntimeError("out of memory")

    monkeypatch.setattr(command, "run_experiment", one)
    assert main(["all", "--scale", "smoke"]) == 2
    assert made == CLAIMS and "e2: RuntimeError: out of memory" in capsys.readouterr().err


@pytest.mark.slow
def test_all_experiments_run_at_smoke_scale_and_conclude_nothing(tmp_path):
    from ffzoo.bench.__main__ import main
    from ffzoo.report import main as report

    results = tmp_path / "results"
    assert main(["all", "--scale", "smoke", "--set", "workers=1", "--out", str(results), "--quiet"]) == 0
    assert sorted(path.name for path in results.iterdir()) == sorted(CLAIMS)
    for name in CLAIMS:
        page = (results / name / f"{name}.md").read_text()
        verdicts = [line for line in page.splitlines() if line.startswith("Verdict: ")]
        assert verdicts and all(line.startswith("Verdict: inconclusive") for line in verdicts), name
        assert "**Question.**" in page and "**What it cannot say.**" in page and "Left out" not in page, name
    cells_of_e8 = [cell["value"] for cell in cells(results / "e8")]
    for cell in cells_of_e8:
        matrix = cell["further"]["matrix"]
        across = any(matrix[loss][block] for loss in range(3) for block in range(2) if loss != block)
        assert across is not cell["strictly_local"]
    # What was computed is enough for the page of all studies, where two figures stand side by side.
    assert report([str(results), "--out", str(tmp_path / "page"), "--quiet"]) == 0
    assert list((tmp_path / "page").glob("gaps-to-backprop-*-beside.png"))
    assert (results / "e9" / "e9.md").read_text() in (tmp_path / "page" / "report.md").read_text()


@pytest.mark.slow
def test_killed_ten_times_the_table_is_the_same_and_nothing_was_computed_twice(tmp_path):
    seeds = ",".join(map(str, range(8)))

    def command(out: Path) -> list[str]:
        options = ["--scale", "smoke", "--set", "workers=2", "--seeds", seeds, "--out", str(out)]
        return [sys.executable, "-m", "ffzoo.bench", "e3", *options]

    def finished() -> int:
        path = tmp_path / "killed" / CELLS
        return path.read_bytes().count(b"\n") if path.exists() else 0

    # Moments are counted in finished cells, not in seconds: a fast machine is interrupted as often as a slow one.
    draw = random.Random(0)
    for _ in range(10):
        wanted = finished() + draw.randint(0, 2)
        process = subprocess.Popen(command(tmp_path / "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while finished() < wanted and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3 * draw.random())
        assert process.poll() is None, "the study ended before it could be killed"
        process.kill()
        process.wait()
        time.sleep(0.3)  # workers notice
    subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True)
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True)
    tables = [(tmp_path / name / "e3.md").read_text() for name in ("killed", "whole")]
    assert tables[0] == tables[1]
    keys = [cell["key"] for cell in cells(tmp_path / "killed")]
    assert len(keys) == len(set(keys)) == 48
