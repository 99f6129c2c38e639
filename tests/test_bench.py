"""``python -m ffzoo.bench``: the command, its list, its errors, and experiments of plugins."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import ffzoo
from ffzoo import hookimpl
from ffzoo.bench.__main__ import main
from ffzoo.bench.report import Report
from ffzoo.bench.study import CELLS, Study
from ffzoo.cli import bench
from ffzoo_experiments.speed.results import ArmResult, Findings, ScaleResult
from ffzoo_experiments.time_to_accuracy.experiment import _run
from ffzoo_experiments.time_to_accuracy.options import TimeToAccuracy

ROOT = Path(__file__).resolve().parent.parent


# ---------------------------------------------------------------- the command


def test_listing_and_validation_import_no_torch():
    code = (
        "import sys; from ffzoo.bench.__main__ import main; "
        "status = main(['--list']) + main(['speed', '--set', 'a=1']); "
        "sys.exit(0 if status == 2 and not {'torch', 'matplotlib'} & set(sys.modules) else 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "micro_batches" in done.stdout and "64,32,16" in done.stdout
    assert done.stderr.startswith("error: unknown option 'a'")


BAD = {
    "unknown experiment": (["sped"], "did you mean 'speed'"),
    "no experiment": ([], "choose from cifar_board, compare, e1"),
    "wrong type": (["speed", "--set", "rounds=many"], "option 'rounds' is 'many'; expected a whole number"),
    "micro-batch too large": (["speed", "--set", "micro_batches=128"], "expected sizes below batch_size=128"),
    "the reference among the arms": (["speed", "--set", "algos=bp"], "not the reference"),
    "a precision that is not there": (["speed", "--set", "precisions=fp8"], "a comma-separated list of 'fp32' or"),
    "unknown algorithm": (["speed", "--set", "algos=dtgff"], "did you mean 'dtg_ff'"),
    "unknown reference": (["speed", "--set", "reference=pb"], "unknown algorithm 'pb'"),
    "unknown backbone": (["speed", "--set", "backbone=cn"], "did you mean 'cnn'"),
    "a backbone without a width": (["speed", "--set", "backbone=whitened_cnn", "--set", "width=3"], "'backbone.width'"),
    "a device that is not there": (["speed", "--set", "device=mps"], "not available here"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_no_folder(case, tmp_path, capsys):
    arguments, expected = BAD[case]
    assert main([*arguments, "--out", str(tmp_path / "x")]) == 2
    err = capsys.readouterr().err
    assert expected in err and err.startswith("error: ") and err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def plugin(function, **more):
    module = ModuleType("made_plugin")
    module.register_experiments = hookimpl(lambda register: register("made", function, summary="made", **more))
    return ffzoo.use(module, "made_plugin")


def test_an_experiment_of_a_plugin(tmp_path, capsys):
    asked = []

    def made(config, study):
        asked.append((config, study.out))
        return Report({"value": study.cell("one", lambda: 1)}, verdicts=("done",))

    with plugin(made):
        assert main(["made", "--out", str(tmp_path / "x")]) == 0
        assert "Verdict: done" in capsys.readouterr().out
        assert main(["made", "--quiet"]) == 0
        assert capsys.readouterr() == ("", "")
        assert main(["made", "--set", "a=1"]) == 2
        assert "has no options" in capsys.readouterr().err
    assert asked == [(None, tmp_path / "x"), (None, None)]
    assert json.loads((tmp_path / "x" / "made.json").read_text()) == {"value": 1}


def test_an_experiment_without_a_report_is_named(capsys):
    with plugin(lambda config, study: 3):
        assert main(["made"]) == 2
    assert "experiment 'made' of plugin 'made_plugin' returned int; expected a Report" in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on(capsys):
    def interrupted(config, study):
        raise KeyboardInterrupt

    with plugin(interrupted):
        assert main(["made"]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_the_console_command_has_it(capsys):
    from ffzoo.cli.main import main as command

    assert command(["bench", "--list"]) == 0
    assert "speed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "page",
    [
        *("README.md", "docs/claims.md", "docs/leaderboard.md", "--help"),
        pytest.param("docs/benchmarks.md", marks=pytest.mark.slow),
    ],
)
def test_studies_of_a_page_begin_and_keep_out_of_each_others_folders(page, tmp_path, monkeypatch, capsys):
    class Begun(BaseException):
        pass

    begun = {}

    def cell(study, *args, **options):
        assert begun.setdefault(study.out or study, study._resolved) == study._resolved, "a folder of other options"
        raise Begun

    def run_experiment(*args):
        with pytest.raises(Begun):
            run(*args)

    run = bench.run_experiment
    monkeypatch.setattr(bench, "run_experiment", run_experiment)
    for name in ("cell", "cells"):
        monkeypatch.setattr(Study, name, cell)
    monkeypatch.chdir(tmp_path)
    text = bench._EPILOG if page == "--help" else (ROOT / page).read_text(encoding="utf-8")
    # tests/test_commands.py runs what needs a file.
    lines = [line for line in re.findall(r"ffzoo bench (\w[^`\n]*)", text) if not re.search(r"NAME|mine", line)]
    assert lines
    for line in lines:
        assert main(shlex.split(line)) == 0, f"{line}: {capsys.readouterr().err}"


def test_arms_of_time_to_accuracy_differ_by_one_thing():
    local, deepsup, bp = (
        _run(TimeToAccuracy(algo="nokland_pred"), arm, 3) for arm in ("local", "twin_deepsup", "twin_bp")
    )
    assert deepsup.algorithm.recipe == local.algorithm.recipe.replace(isolation="none")
    (term,) = bp.algorithm.recipe.terms
    assert term.blocks == "last" and bp.algorithm.recipe.fusion == "last" and bp.algorithm.recipe.isolation == "none"
    for run in (deepsup, bp):
        same = dataclasses.replace(run, algorithm=local.algorithm, own_keys=local.own_keys)
        assert same == local
    other = _run(TimeToAccuracy(algo="nokland_pred", settings=("goodness.grid=2", "fit.lr=0.1")), "dtg_ff", 3)
    assert other.fit.lr == 0.1 and other.algorithm.recipe.terms[0].goodness.grid == 4
    half = _run(TimeToAccuracy(precision="bf16"), "local", 3).execution
    assert local.execution.convolution == "winograd" and (half.precision, half.convolution) == ("bf16", "direct")


def test_time_to_accuracy_end_to_end_and_again(tmp_path, monkeypatch, capsys):
    """A second command finds everything there, after an option came too, but not with another configuration."""
    small = ["dataset=digits", "epochs=2", "algo=nokland_pred"]
    small += ["config=" + str(tmp_path / "small.toml"), "arms=local,twin_bp", "seeds=0,1"]
    (tmp_path / "small.toml").write_text(
        '[run]\nbackbone = "whitened_cnn"\n[backbone]\nwidths = [8, 8, 8, 8]\n[data]\ntrain_size = 100\n'
    )
    command = ["time_to_accuracy", "--out", str(tmp_path / "x"), "--quiet"]
    for setting in small:
        command += ["--set", setting]
    assert main(command) == 0
    report = json.loads((tmp_path / "x" / "time_to_accuracy.json").read_text())
    assert [run["seed"] for run in report["arms"]["nokland_pred"]] == [0, 1]
    curve = report["arms"]["nokland_pred"][0]["curve"]
    assert len(curve) == 2 and all(point["validation_accuracy"] is not None for point in curve)
    assert (tmp_path / "x" / "time_to_accuracy-curves.png").stat().st_size > 10_000
    monkeypatch.setattr("ffzoo.run.runner.run_all", None)
    assert main(command) == 0
    cells = tmp_path / "x" / CELLS
    lines = [json.loads(line) for line in cells.read_text().splitlines()]
    stored = [line["value"] for line in lines if line["key"].endswith("configuration")]
    for value in stored:
        del value["execution"]["convolution"]
    cells.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(command) == 0
    stored[0]["fit"]["lr"] = 7.0
    cells.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(command) == 2
    assert "was begun with another local, seed 0: configuration; expected another folder" in capsys.readouterr().err


def test_every_field_of_the_report_is_explained():
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for cls in (Findings, ArmResult, ScaleResult):
        for field in dataclasses.fields(cls):
            assert f"`{field.name}`" in text, f"docs/benchmarks.md does not explain {cls.__name__}.{field.name}"
