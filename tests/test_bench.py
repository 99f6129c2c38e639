"""``python -m ffzoo.bench``: paired ratios, studies that go on, report files, ceilings, and ``speed`` end to end."""

from __future__ import annotations

import dataclasses
import gc
import json
import math
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import ffzoo
from ffzoo import environment, hookimpl
from ffzoo import options as configs
from ffzoo.bench.__main__ import main, parser
from ffzoo.bench.files import replace_file, replace_text
from ffzoo.bench.report import Figure, Report, Table
from ffzoo.bench.study import CELLS, CONFIG, Study
from ffzoo.bench.timing import Ratio, interleaved, ratio
from ffzoo.errors import CheckpointError, OptionError
from ffzoo.loader import ZOO
from ffzoo.measure import ceiling
from ffzoo.measure.ceiling import Ceilings, layer_calls
from ffzoo.measure.memory import step_cost
from ffzoo.plan import parse_set
from ffzoo_experiments import scaling
from ffzoo_experiments.arms import Arm, arms_of, batch_of, build
from ffzoo_experiments.options import Speed, TimeToAccuracy, Zoo
from ffzoo_experiments.resident import peak_rss
from ffzoo_experiments.results import ArmResult, Findings, ScaleResult
from ffzoo_experiments.time_to_accuracy import _run
from ffzoo_experiments.verdicts import verdicts
from ffzoo_experiments.zoo import zoo

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parent.parent
TINY = Speed(
    algos=("dtg_ff",),
    width=4,
    depth=4,
    side=8,
    classes=4,
    batch_size=8,
    micro_batches=(4,),
    compiled=False,
    precisions=("fp32",),
    rounds=2,
    scaling=False,
    memory_rss=False,
    device="cpu",
)


def settings(config):
    """A config as the command line has it."""
    written = {k: ",".join(map(str, v)) if isinstance(v, tuple) else str(v) for k, v in vars(config).items()}
    return [part for key, value in written.items() for part in ("--set", f"{key}={value}")]


# ---------------------------------------------------------------- ratios


def below(n, k):
    """P(fewer than k of n fair coins show heads), exactly."""
    return sum(math.comb(n, i) for i in range(k)) / 2**n


@pytest.mark.parametrize("n", [6, 7, 9, 15, 16, 40, 101])
def test_the_interval_of_a_median_is_the_narrowest_with_95_percent(n):
    found = ratio([float(i + 1) for i in range(n)][::-1], [1.0] * n)  # the ratios are their own ranks
    k = int(found.low)
    assert (found.median, found.high) == (statistics.median(range(1, n + 1)), n + 1 - k)
    assert 1 - 2 * below(n, k) >= 0.95 > 1 - 2 * below(n, k + 1)


def test_few_ratios_have_no_interval():
    for n in range(1, 6):
        assert ratio([2.0] * n, [1.0] * n) == Ratio(2.0, None, None)
    assert str(ratio([2.0] * 5, [1.0] * 5)) == "2.00" and str(ratio([3.0] * 6, [2.0] * 6)) == "1.50 [1.50, 1.50]"


def test_ratios_are_paired_by_round():
    drift = [1.0, 10.0, 3.0, 7.0, 2.0, 30.0, 5.0]
    assert ratio([2 * t for t in drift], drift) == Ratio(2.0, 2.0, 2.0)
    with pytest.raises(ValueError):
        ratio(drift, drift[1:])


def test_an_interval_with_one_in_it_shows_no_difference():
    assert Ratio(1.2, 1.1, 1.3).excludes_one and Ratio(0.8, 0.7, 0.9).excludes_one
    assert not Ratio(1.2, 0.9, 1.3).excludes_one and not Ratio(1.2, None, None).excludes_one


def test_every_round_has_every_arm_once_in_a_changing_order():
    def made():
        calls = []
        times = interleaved({name: lambda n=name: calls.append(n) for name in "abcd"}, 6, 2, CPU)
        return times, [tuple(calls[i : i + 4]) for i in range(0, len(calls), 4)]

    times, rounds = made()
    assert list(times) == list("abcd") and all(len(t) == 6 and min(t) > 0 for t in times.values())
    assert len(rounds) == 8 and all(sorted(r) == list("abcd") for r in rounds)
    assert len(set(rounds)) > 4
    assert made()[1] == rounds, "the order is the same every time"
    assert gc.isenabled()


# ---------------------------------------------------------------- studies


def killed(study):
    """Three cells, of which the third is interrupted."""

    def interrupt():
        raise KeyboardInterrupt

    study.cell("a", lambda: {"x": (1, 2)})
    study.cell("b", lambda: 2.5)
    with pytest.raises(KeyboardInterrupt):
        study.cell("c", interrupt)


def never():
    raise AssertionError("a stored cell was computed again")


def test_a_killed_study_goes_on(tmp_path):
    out = tmp_path / "deep" / "s"
    killed(Study("e", TINY, out))
    with (out / CELLS).open("a") as file:
        file.write('{"key": "c", "val')  # a kill in the middle of a line
    study = Study("e", TINY, out)
    assert study.cell("a", never) == {"x": [1, 2]} and study.cell("b", never) == 2.5
    assert study.cell("c", lambda: None) is None
    assert study.cell("c", never) is None
    again = Study("e", TINY, out)
    assert [again.cell(key, never) for key in "abc"] == [{"x": [1, 2]}, 2.5, None]
    assert len((out / CELLS).read_text().splitlines()) == 3


def test_a_cell_is_what_json_makes_of_it_the_first_time_too():
    study = Study("e")
    assert study.cell("a", lambda: {"x": (1, 2), 3: None}) == {"x": [1, 2], "3": None}
    with pytest.raises(ValueError):
        study.cell("b", lambda: math.nan)


def test_another_config_or_experiment_is_refused(tmp_path):
    killed(Study("e", TINY, tmp_path / "s"))
    with pytest.raises(CheckpointError, match=r"was begun with rounds 2, not 3; expected the same options"):
        Study("e", dataclasses.replace(TINY, rounds=3), tmp_path / "s")
    with pytest.raises(CheckpointError, match=r"begun with algos dtg_ff, not dtg_ff,bp_deepsup"):
        Study("e", dataclasses.replace(TINY, algos=("dtg_ff", "bp_deepsup")), tmp_path / "s")
    with pytest.raises(CheckpointError, match="holds the experiment 'e', not 'f'"):
        Study("f", TINY, tmp_path / "s")


def test_a_folder_is_made_by_the_first_cell_and_taken_from_nobody(tmp_path):
    Study("e", TINY, tmp_path / "s")
    assert not (tmp_path / "s").exists()
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OptionError, match="holds no study"):
        Study("e", TINY, tmp_path)


def test_a_corrupt_study_is_refused(tmp_path):
    killed(Study("e", None, tmp_path / "s"))
    (tmp_path / "s" / CELLS).write_text("nonsense\n")
    with pytest.raises(CheckpointError, match="not a readable study"):
        Study("e", None, tmp_path / "s")
    (tmp_path / "s" / CONFIG).write_text("[]")
    with pytest.raises(CheckpointError, match="not a readable study"):
        Study("e", None, tmp_path / "s")


def test_times_of_two_machines_are_not_mixed(tmp_path, monkeypatch):
    machine = Study("e", None, tmp_path / "s").machine(CPU)
    assert machine["versions"]["torch"] and machine["hardware"]["threads"] == torch.get_num_threads()
    assert Study("e", None, tmp_path / "s").machine(CPU) == machine
    other = machine["hardware"] | {"threads": 64}
    monkeypatch.setattr(environment, "hardware", lambda device: other)
    with pytest.raises(CheckpointError, match=rf"begun with threads {torch.get_num_threads()}, and now it is 64"):
        Study("e", None, tmp_path / "s").machine(CPU)


# ---------------------------------------------------------------- reports


def report_of(draw):
    table = Table("Things", ("thing", "x | y"), (("a", "1"), ("b", "[2, 3]")))
    figure = Figure("line", "A line.", draw)
    return Report({"n": 1}, (table,), (figure,), ("one is less than two", "no difference"), ("a note",))


def test_the_files_of_a_report(tmp_path):
    report = report_of(lambda canvas: canvas.subplots().plot([1, 2], [3, 4]))
    files = report.write(tmp_path / "r", "thing")
    assert [f.name for f in files] == ["thing.json", "thing.md", "thing-line.png", "thing-line.svg"]
    assert sorted(f.name for f in (tmp_path / "r").iterdir()) == sorted(f.name for f in files), "nothing else is left"
    assert json.loads(files[0].read_text()) == {"n": 1}
    text = files[1].read_text()
    assert [line for line in text.splitlines() if line.startswith("Verdict: ")] == [
        "Verdict: one is less than two",
        "Verdict: no difference",
    ]
    assert "| thing | x \\| y |\n| --- | ---: |\n| a | 1 |\n| b | [2, 3] |" in text
    assert "![A line.](thing-line.png)" in text and "- a note" in text
    assert files[2].read_bytes().startswith(b"\x89PNG") and b"<svg" in files[3].read_bytes()
    svg = files[3].read_bytes()
    report.write(tmp_path / "r", "thing")
    assert files[3].read_bytes() == svg


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    def half(file):
        file.write_text("half")
        raise OSError("full")

    replace_text(tmp_path / "x", "whole")
    with pytest.raises(OSError, match="full"):
        replace_file(tmp_path / "x", half)
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("x", "whole")]


def test_a_figure_that_fails_leaves_the_old_files(tmp_path):
    report_of(lambda canvas: canvas.subplots()).write(tmp_path, "thing")
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    with pytest.raises(ValueError):
        Report({"n": math.nan}).write(tmp_path, "thing")
    with pytest.raises(ZeroDivisionError):
        report_of(lambda canvas: 1 / 0).write(tmp_path, "thing")
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before


def test_a_report_is_printed_as_it_is(capsys):
    report_of(lambda canvas: None).show()
    out = capsys.readouterr().out
    assert "[2, 3]" in out and "Verdict: one is less than two" in out and "a note" in out


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
    "no experiment": ([], "choose from compare, e1"),
    "wrong type": (["speed", "--set", "rounds=many"], "option 'rounds' is 'many'; expected int"),
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
    from ffzoo.cli import main as command

    assert command(["bench", "--list"]) == 0
    assert "speed" in capsys.readouterr().out


def test_every_command_line_of_the_docs_can_be_run():
    lines = []
    for page in (ROOT / "README.md", ROOT / "docs" / "benchmarks.md"):
        lines += re.findall(r"python -m ffzoo\.bench ([^`\n]*)", page.read_text(encoding="utf-8"))
    assert len(lines) >= 4
    for line in lines:
        args = parser().parse_args(shlex.split(line))
        if args.name not in (None, "NAME", "all"):
            config_class = ZOO["experiments"].get(args.name).load_config()
            config = configs.replace(config_class(), parse_set(args.settings), "")
            if args.name == "speed":
                arms_of(config)


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


def test_time_to_accuracy_end_to_end_and_again(tmp_path, monkeypatch):
    """The second command finds everything there."""
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
    monkeypatch.setattr("ffzoo.evaluation.run_all", None)
    assert main(command) == 0


def test_every_field_of_the_report_is_explained():
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for cls in (Findings, ArmResult, ScaleResult):
        for field in dataclasses.fields(cls):
            assert f"`{field.name}`" in text, f"docs/benchmarks.md does not explain {cls.__name__}.{field.name}"


# ---------------------------------------------------------------- ceilings


def test_the_layers_of_a_step_and_the_gradients_it_needs():
    batch = batch_of(TINY, CPU)
    bp, local = (layer_calls(build(TINY, Arm(algo), "fp32", CPU), batch) for algo in ("bp", "dtg_ff"))
    assert [c.input for c in bp] == [(8, 3, 8, 8), (8, 4, 4, 4), (8, 8, 2, 2), (8, 16, 2, 2)]
    assert [c.weight[:2] for c in bp] == [(4, 3), (8, 4), (16, 8), (16, 16)]
    assert [c.input_gradient for c in bp] == [False, True, True, True], "nobody needs the gradient at the images"
    assert [c.input_gradient for c in local] == [False] * 4
    assert all(c.weight_gradient for c in [*bp, *local])


@pytest.mark.parametrize("arm", [Arm("bp"), Arm("dtg_ff"), Arm("bp", "micro-batch", 4)])
def test_a_ceiling_counts_the_operations_of_the_very_convolutions(arm, monkeypatch):
    monkeypatch.setattr(ceiling, "_REPEATS", 1)
    sizes = []
    monkeypatch.setattr(ceiling, "layer_calls", lambda a, b: sizes.append(len(b.x)) or layer_calls(a, b))
    algorithm, batch = build(TINY, arm, "fp32", CPU), batch_of(TINY, CPU)
    found = Ceilings(CPU).of(algorithm, batch)
    assert sizes == [arm.micro_batch or 8]
    # In a step only the readouts are there beside them: forward, and two gradients at most.
    rest = step_cost(algorithm, batch).flops - found.flops
    assert 0 <= rest < 0.1 * found.flops
    assert found.seconds > 0 and found.flops_per_second == found.flops / found.seconds


def test_a_network_of_linear_layers_has_a_ceiling_too(monkeypatch):
    monkeypatch.setattr(ceiling, "_REPEATS", 1)
    config = dataclasses.replace(TINY, backbone="mlp")
    found = Ceilings(CPU).of(build(config, Arm("dtg_ff"), "bf16", CPU), batch_of(config, CPU))
    inputs = [3 * 8 * 8, 4, 4, 4]
    assert found.flops == sum(2 * 8 * n * 4 * 2 for n in inputs), "forward and the gradient at the weights"


# ---------------------------------------------------------------- speed


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """How often the C library was told to keep freed memory; here it is not, for the sake of other tests."""
    calls = []
    monkeypatch.setattr(environment, "keep_freed_memory", lambda: calls.append(None))
    monkeypatch.setattr(ceiling, "_REPEATS", 1)
    monkeypatch.setattr(ceiling, "_COPIED", 2**16)
    return calls


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_plain_loop_learns_what_the_reference_learns(precision):
    config = dataclasses.replace(TINY, depth=6, side=16)
    batch = batch_of(config, CPU)
    bp, bare = (build(config, Arm("bp", kind), precision, CPU) for kind in ("plain", "bare"))
    readout = bp.goodness[-1][0]
    with torch.no_grad():
        for conv, block in zip(bare.convs, bp.backbone.blocks, strict=True):
            conv.load_state_dict(block.conv.state_dict())
        bare.head.weight.copy_(readout.projection.T)
        bare.head.bias.copy_(readout.bias)
    for _ in range(2):
        metrics, loss = bp.train_step(batch), bare.train_step(batch)
        tolerance = 1e-5 if precision == "fp32" else 1e-2
        torch.testing.assert_close(metrics["loss/6"], loss, rtol=tolerance, atol=tolerance)
    if precision == "fp32":
        for conv, block in zip(bare.convs, bp.backbone.blocks, strict=True):
            torch.testing.assert_close(conv.weight, block.conv.weight, rtol=1e-3, atol=1e-4)
    assert step_cost(bare, batch).flops == step_cost(bp, batch).flops


def test_the_arms():
    names = [arm.name for arm in arms_of(Speed(micro_batches=(32,), compiled=False))]
    assert names == [
        *("bp", "bp, again", "plain PyTorch", "bp, micro-batch 32", "bp, checkpointing"),
        *("dtg_ff", "dtg_ff, micro-batch 32", "dtg_ff, autograd", "dtg_ff, all at once"),
        *("bp_deepsup", "bp_deepsup, micro-batch 32"),
    ]
    compiled = {arm.name for arm in arms_of(Speed(micro_batches=(32,)))} - set(names)
    assert compiled == {
        *("plain PyTorch, compiled", "bp, compiled", "dtg_ff, compiled", "dtg_ff, compiled, micro-batch 32"),
        *("bp_deepsup, compiled", "bp_deepsup, compiled, micro-batch 32"),
    }
    assert "plain PyTorch" not in [arm.name for arm in arms_of(Speed(backbone="mlp"))]
    execution = {arm.name: arm.execution("bf16") for arm in arms_of(Speed())}
    assert {e.memory_format for e in execution.values()} == {"channels_last"}
    assert not execution["dtg_ff, autograd"].closed_form and not execution["dtg_ff, all at once"].streaming
    assert execution["bp, checkpointing"].checkpoint_blocks and execution["dtg_ff, micro-batch 16"].micro_batch == 16


def test_a_tiny_run_end_to_end(tmp_path, kept, capsys):
    config = dataclasses.replace(TINY, precisions=("fp32", "bf16"))
    arguments = ["speed", "--out", str(tmp_path / "x"), *settings(config)]
    assert main(arguments) == 0
    assert kept, "freed memory is kept before anything is timed"
    out = capsys.readouterr().out
    data = json.loads((tmp_path / "x" / "speed.json").read_text())
    assert configs.replace(Speed(), data["config"], "") == config
    arms = {(arm["precision"], arm["name"]): arm for arm in data["arms"]}
    names = [arm.name for arm in arms_of(config)]
    assert list(arms) == [(precision, name) for precision in config.precisions for name in names]
    assert {frozenset(arm) for arm in data["arms"]} == {frozenset(ArmResult.__dataclass_fields__)}
    assert not data["left_out"] and not data["scaling"] and not data["growth"]
    for arm in data["arms"]:
        assert len(arm["seconds"]) == 2 and arm["images_per_second"] == 8 / statistics.median(arm["seconds"])
        first = arms[arm["precision"], "bp"]
        assert arm["ratio"] == dataclasses.asdict(ratio(first["seconds"], arm["seconds"]))
        assert arm["utilisation"] > 0 and arm["peak_rss_bytes"] is None
    saved = {name: arms["fp32", name]["saved_activation_bytes"] for name in names}
    assert saved["bp"] == saved["bp, again"] == pytest.approx(2 * saved["bp, micro-batch 4"], rel=0.01)
    assert saved["dtg_ff"] == pytest.approx(2 * saved["dtg_ff, micro-batch 4"], rel=0.01)
    assert saved["dtg_ff"] <= saved["dtg_ff, autograd"] < min(saved["bp"], saved["dtg_ff, all at once"])
    flops = {name: arms["fp32", name]["flops"] for name in names}
    assert flops["dtg_ff"] < flops["bp"] == flops["plain PyTorch"] < flops["bp, checkpointing"]
    text = (tmp_path / "x" / "speed.md").read_text()
    assert text.count("## A training step") == 2 and text.count("Verdict: fp32: ") == 3
    assert "too few rounds for an interval" in text and "too few rounds" in out
    assert {f.suffix for f in (tmp_path / "x").glob("speed-arms.*")} == {".png", ".svg"}
    # Nothing is measured again.
    before = {f.name: f.read_bytes() for f in (tmp_path / "x").iterdir() if f.suffix != ".png"}
    assert main([*arguments, "--quiet"]) == 0
    assert {f.name: f.read_bytes() for f in (tmp_path / "x").iterdir() if f.suffix != ".png"} == before


def test_streaming_keeps_no_more_of_a_deeper_network(monkeypatch):
    monkeypatch.setattr(scaling, "SIZES", {"depth": (16, 32), "batch": (4,)})
    monkeypatch.setattr(scaling, "times", lambda *_: {"dtg_ff": [0.5, 0.5, 1.0], "bp": [2.0, 2.0, 4.0]})
    found, left_out = scaling.scaling(TINY, CPU, Study("speed", TINY))
    assert not left_out and [(size.axis, size.value) for size in found] == [("depth", 16), ("depth", 32), ("batch", 4)]
    shallow, deep, half = (size.saved_activation_bytes for size in found)
    growth = {name: deep[name] / shallow[name] for name in shallow}
    assert growth["dtg_ff"] == growth["dtg_ff, micro-batch 4"] == 1
    assert all(growth[name] > 1.8 for name in ("bp", "bp, micro-batch 4", "bp, checkpointing", "dtg_ff, all at once"))
    assert list(half) == ["dtg_ff", "bp"]
    for size, batch in zip(found, (8, 8, 4), strict=True):
        assert size.ratio.median == 4 and size.images_per_second == {"dtg_ff": 2 * batch, "bp": batch / 2}
    findings = Findings(TINY, {}, 0.0, [], found, {})
    assert findings.growth(16, 32) == growth and findings.growth() == {}


def test_what_cannot_be_measured_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr(scaling, "SIZES", {"depth": (4,), "resolution": (8,)})
    config = dataclasses.replace(TINY, backbone="whitened_cnn", width=None, depth=None, rounds=1, scaling=True)
    report = ZOO["experiments"].get("speed").load()(config, Study("speed", config))
    left_out = report.data["left_out"]
    assert "batch statistics" in left_out["bp, micro-batch 4"] and "written for bp" in left_out["plain PyTorch"]
    assert "no option of that name" in left_out["scaling of the depth"]
    assert [size["axis"] for size in report.data["scaling"]] == ["resolution"]
    assert any("batch statistics" in note for note in report.notes)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_resident_memory_is_that_of_the_arm_alone():
    ballast = torch.ones(2**26)  # a child's peak must not begin with its parent's
    found = peak_rss(TINY, Arm("bp"), "fp32", Study("speed", TINY))
    assert found is None or 0 < found < ballast.nbytes // 2


def arm(name, kind, seconds, saved, micro_batch=0):
    reference = [1.0] * len(seconds)
    found = ratio(reference, seconds)
    return ArmResult(
        "fp32", name, name, kind, micro_batch, 1.0, found, seconds, 1, saved, saved / 100, None, None, None, None, None
    )


def test_verdicts_say_no_more_than_their_interval():
    def of(*arms):
        found = [arm("bp", "plain", [1.0] * 8, 100), arm("bp", "again", [1.0] * 8, 100), *arms]
        return verdicts(Findings(dataclasses.replace(TINY, rounds=8), {}, 0.0, found, [], {}))

    fast = of(arm("dtg_ff", "plain", [0.9] * 8, 40), arm("dtg_ff", "micro-batch", [0.5] * 8, 10, 4))
    assert fast[0] == (
        "fp32: dtg_ff at micro-batch 4 trains at 2.00 [2.00, 2.00] x bp's images per second, "
        "with 0.10 x its saved activations"
    )
    assert "(no difference seen)" in of(arm("dtg_ff", "plain", [0.5, 2.0] * 4, 40))[0]
    both = of(arm("bp", "micro-batch", [0.8] * 8, 50, 4), arm("dtg_ff", "plain", [0.5] * 8, 40))[0]
    assert "; against bp at micro-batch 4, the fastest bp, 1.60 [1.60, 1.60] x, with 0.80 x" in both
    # What shows where speed comes from is no way to train.
    assert "2.00" not in of(arm("dtg_ff", "plain", [0.9] * 8, 40), arm("dtg_ff", "autograd", [0.5] * 8, 10))[0]


def test_the_leaderboard_searches_on_validation_and_keeps_what_refuses(tmp_path):
    data = np.random.default_rng(0)
    x, y = data.integers(0, 256, (60, 2, 2, 1), dtype=np.uint8), np.arange(60) % 5  # no room for five labels
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])
    name = f"npz:{tmp_path / 'd.npz'}"
    options = Zoo(algos=("bp", "vanilla_ff"), datasets=(name,), seeds=(0, 1), factors=(1.0, 2.0), epochs=1)
    report = zoo(options, Study("zoo", options, tmp_path / "out"))
    found = report.data["found"]["bp"][name]
    assert [run["test_reads"] for run in found["trials"]] == [0, 0]
    assert [run["test_reads"] for run in found["runs"]] == [1, 1]
    best = max(found["trials"], key=lambda trial: trial["accuracy"])
    assert {run["lr"] for run in found["runs"]} == {best["lr"]}
    assert found["trials"][1]["lr"] == pytest.approx(2 * found["trials"][0]["lr"])
    assert "writes 5 labels over 4 inputs" in report.data["found"]["vanilla_ff"][name]["refused"]
    (table,) = report.tables
    assert [row[0] for row in table.rows] == ["bp", "vanilla_ff"] and table.rows[1][1] == "refused"
    report.write(tmp_path / "report", "zoo")
    assert (tmp_path / "report" / "zoo-leaderboard.png").stat().st_size > 5_000
