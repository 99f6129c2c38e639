"""``speed``: ceilings, arms, what is kept and measured, and a tiny run end to end."""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ffzoo.bench.__main__ import main
from ffzoo.bench.study import Study
from ffzoo.bench.timing import ratio
from ffzoo.measure import ceiling
from ffzoo.measure.ceiling import Ceilings, layer_calls
from ffzoo.measure.memory import step_cost
from ffzoo.registry import options as configs
from ffzoo.registry.loader import ZOO
from ffzoo.run import environment
from ffzoo_experiments.leaderboard.experiment import zoo
from ffzoo_experiments.leaderboard.options import Zoo
from ffzoo_experiments.speed import scaling
from ffzoo_experiments.speed.arms import Arm, arms_of, batch_of, build
from ffzoo_experiments.speed.options import Speed
from ffzoo_experiments.speed.resident import peak_rss
from ffzoo_experiments.speed.results import ArmResult, Findings
from ffzoo_experiments.speed.steps import cost
from ffzoo_experiments.speed.verdicts import verdicts
from tests.tiny_speed import CPU, TINY, settings

ROOT = Path(__file__).resolve().parent.parent


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
        *(
            "bp, winograd",
            "dtg_ff",
            "dtg_ff, micro-batch 32",
            "dtg_ff, winograd",
            "dtg_ff, autograd",
            "dtg_ff, all at once",
        ),
        *("bp_deepsup", "bp_deepsup, micro-batch 32", "bp_deepsup, winograd"),
    ]
    compiled = {arm.name for arm in arms_of(Speed(micro_batches=(32,)))} - set(names)
    assert compiled == {
        *("plain PyTorch, compiled", "bp, compiled", "dtg_ff, compiled", "dtg_ff, compiled, micro-batch 32"),
        *("bp_deepsup, compiled", "bp_deepsup, compiled, micro-batch 32"),
    }
    assert "plain PyTorch" not in [arm.name for arm in arms_of(Speed(backbone="mlp"))]
    execution = {arm.name: arm.execution("bf16") for arm in arms_of(Speed()) if arm.runs_in("bf16")}
    others = {arm.name: arm.execution("fp32") for arm in arms_of(Speed()) if not arm.runs_in("bf16")}
    assert len(others) == 3 and {e.convolution for e in others.values()} == {"winograd"}
    assert {e.convolution for e in execution.values()} == {"direct"}
    assert {e.memory_format for e in execution.values()} == {"channels_last"}
    assert not execution["dtg_ff, autograd"].closed_form and not execution["dtg_ff, all at once"].streaming
    assert execution["bp, checkpointing"].checkpoint_blocks and execution["dtg_ff, micro-batch 16"].micro_batch == 16


def test_fewer_multiplications_are_measured_where_there_are_some(request):
    left_out = cost(TINY, Arm("dtg_ff", "winograd"), "fp32", CPU)["left_out"]
    assert left_out == "it is the plain arm: no CPU, or no 3x3 convolution large enough to gain"
    request.getfixturevalue("few_channels")
    with_them, plain = (cost(TINY, Arm("dtg_ff", kind), "fp32", CPU)["flops"] for kind in ("winograd", "plain"))
    assert with_them != plain


def test_a_tiny_run_end_to_end(tmp_path, kept, capsys, few_channels):
    config = dataclasses.replace(TINY, precisions=("fp32", "bf16"))
    arguments = ["speed", "--out", str(tmp_path / "x"), *settings(config)]
    assert main(arguments) == 0
    assert kept, "freed memory is kept before anything is timed"
    out = capsys.readouterr().out
    data = json.loads((tmp_path / "x" / "speed.json").read_text())
    assert configs.replace(Speed(), data["config"], "") == config
    arms = {(arm["precision"], arm["name"]): arm for arm in data["arms"]}
    names = [arm.name for arm in arms_of(config)]
    assert list(arms) == [
        (precision, arm.name) for precision in config.precisions for arm in arms_of(config) if arm.runs_in(precision)
    ]
    assert {frozenset(arm) for arm in data["arms"]} == {frozenset(ArmResult.__dataclass_fields__)}
    assert not data["left_out"] and not data["scaling"] and not data["growth"]
    for arm in data["arms"]:
        assert len(arm["seconds"]) == 2 and arm["images_per_second"] == 8 / statistics.median(arm["seconds"])
        first = arms[arm["precision"], "bp"]
        assert arm["ratio"] == dataclasses.asdict(ratio(first["seconds"], arm["seconds"]))
        assert (arm["utilisation"] is None) == (arm["kind"] == "winograd") and arm["peak_rss_bytes"] is None
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
