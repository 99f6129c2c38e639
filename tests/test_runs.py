"""A run from data to result: files, determinism, resume after a kill, seeds, comparisons, loading."""

from __future__ import annotations

import copy
import itertools
import json
import os
import platform
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ffzoo
from ffzoo.algorithms.build import create
from ffzoo.algorithms.stepping import SteppingAlgorithm
from ffzoo.data.batch import Batch
from ffzoo.errors import CheckpointError, DataError, DivergedError, OptionError
from ffzoo.measure.speed import fastest_micro_batch
from ffzoo.measure.statistics import Gap, paired_gap
from ffzoo.run import runner as evaluation
from ffzoo.run.evaluate import resume
from ffzoo.run.results import RunResult
from ffzoo.run.spec import make_run
from ffzoo.training.fit import WARMUP_STEPS, Stopwatch, epoch_order

SMALL = {"data.train_size": 200, "data.test_size": 60, "backbone.width": 16}


def run(out=None, **options):
    options = {"epochs": 2, "settings": SMALL} | options
    return ffzoo.evaluate("dtg_ff", "digits", out=out, **options)


def test_run_folder(tmp_path):
    evaluation = run(tmp_path / "x")
    (result,) = evaluation.runs
    files = {p.name for p in (tmp_path / "x").iterdir()}
    assert files == {"config.json", "metrics.jsonl", "result.json", "checkpoint.safetensors", "state.json"}
    data = json.loads((tmp_path / "x" / "result.json").read_text())
    required = """
        schema_version algo dataset backbone seed epochs num_classes parameters test_accuracy per_block_accuracy fusion
        fusion_grad isolation coupling images_per_second peak_memory_bytes saved_activation_bytes wall_seconds versions
        train_seconds device git train_flops search_trials test_reads split data_sha256 blocks
        max_weight_layers_per_block locality
        strictly_local
    """
    assert set(required.split()) <= set(data)
    assert 0 <= data["test_accuracy"] <= 1 and len(data["per_block_accuracy"]) == data["blocks"] == 3
    assert data["locality"] == {"structural": True, "black_box": True} and data["strictly_local"] is True
    assert data["search_trials"] is None and data["test_reads"] == 1
    lines = [json.loads(line) for line in (tmp_path / "x" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert {"loss/1", "loss/3", "accuracy/2", "validation_accuracy"} <= set(lines[0])
    assert 0 < lines[0]["train_seconds"] < lines[1]["train_seconds"]
    assert lines[1]["train_seconds"] - 0.001 < data["train_seconds"] < data["wall_seconds"]
    assert 2 * lines[0]["train_flops"] == lines[1]["train_flops"] == data["train_flops"]
    config = json.loads((tmp_path / "x" / "config.json").read_text())
    assert {"versions", "git", "hardware", "plugins", "algorithm", "fit"} <= set(config)
    assert config["algorithm"]["terms"][0]["goodness"]["grid"] == 4  # resolved: enough to run it again
    assert RunResult.read(tmp_path / "x") == result


def test_bp_is_measured_not_to_be_local():
    (result,) = ffzoo.evaluate("bp", "digits", epochs=1, settings=SMALL).runs
    assert result.locality == {"structural": False, "black_box": False} and not result.strictly_local
    assert result.per_block_accuracy[:2] == [None, None]


def test_a_single_block_is_not_called_strictly_local():
    (result,) = run(epochs=1, settings=SMALL | {"backbone.depth": 1}).runs
    assert not result.strictly_local


def test_same_seed_same_bits_and_progress_makes_no_difference(tmp_path, capsys):
    a, b = run(tmp_path / "a"), run(tmp_path / "b", progress=True)
    assert a.runs[0].test_accuracy == b.runs[0].test_accuracy
    first, second = (load_file(tmp_path / n / "checkpoint.safetensors") for n in "ab")
    assert all(torch.equal(first[k], second[k]) for k in first)
    text = capsys.readouterr().out
    assert "strictly" in text and "dtg_ff" in text


COMMAND = [
    *(sys.executable, "-m", "ffzoo.eval", "--algo", "vanilla_ff", "--epochs", "12", "--quiet"),
    *("--set", "data.train_size=300", "--set", "backbone.width=24", "--set", "fusion=concat_linear"),
]


def test_without_curves_the_result_is_the_same(tmp_path):
    run = make_run("dtg_ff", "digits", epochs=2, settings={"data.train_size": 200})
    results = {}
    for curves in (True, False):
        folder = tmp_path / str(curves)
        (result,) = evaluation.run_all([run], out=folder, curves=curves).runs
        results[curves] = (result.test_accuracy, result.validation_accuracy, result.per_block_accuracy)
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert [("validation_accuracy" in line) for line in lines] == [curves] * 2
    assert results[True] == results[False] and results[True][1] is not None


def test_killed_at_a_random_step_and_resumed_bit_for_bit(tmp_path):
    subprocess.run([*COMMAND, "--out", str(tmp_path / "whole")], check=True)
    cut = tmp_path / "cut"
    process = subprocess.Popen([*COMMAND, "--out", str(cut)])
    deadline = time.monotonic() + 60
    while not (cut / "checkpoint.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(int.from_bytes(os.urandom(1)) / 255 * 0.15)  # anywhere: in a step, in a save, in an evaluation
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (cut / "result.json").exists(), "the run ended before it could be killed"
    subprocess.run([sys.executable, "-m", "ffzoo.eval", "--resume", str(cut), "--quiet"], check=True)
    whole, resumed = (load_file(tmp_path / n / "checkpoint.safetensors") for n in ("whole", "cut"))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    results = [json.loads((tmp_path / n / "result.json").read_text()) for n in ("whole", "cut")]
    assert results[0]["test_accuracy"] == results[1]["test_accuracy"]
    lines = [(tmp_path / n / "metrics.jsonl").read_text().splitlines() for n in ("whole", "cut")]
    without_time = [[{k: v for k, v in json.loads(x).items() if "seconds" not in k} for x in part] for part in lines]
    assert without_time[0] == without_time[1]


def test_the_cost_counts_the_first_steps_and_the_speed_does_not(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("ffzoo.training.fit._now", lambda device: float(next(ticks)))
    watch = Stopwatch()
    for _ in range(WARMUP_STEPS + 2):
        watch.run(lambda: None, 3, torch.device("cpu"))
    assert (watch.total, watch.seconds, watch.images, watch.steps) == (WARMUP_STEPS + 2, 2, 6, WARMUP_STEPS + 2)


def test_resume_of_a_finished_run_runs_nothing(tmp_path):
    first = run(tmp_path / "x")
    before = (tmp_path / "x" / "checkpoint.safetensors").stat().st_mtime_ns
    assert resume(tmp_path / "x").runs[0].wall_seconds == first.runs[0].wall_seconds
    assert (tmp_path / "x" / "checkpoint.safetensors").stat().st_mtime_ns == before


def test_seeds_and_a_paired_comparison(tmp_path):
    evaluation = run(tmp_path / "x", seeds=[0, 1], against="bp", epochs=1)
    assert [r.seed for r in evaluation.runs] == [0, 1]
    assert evaluation.test_accuracy_sd is not None
    (comparison,) = evaluation.against
    assert [r.algo for r in comparison.other.runs] == ["bp", "bp"]
    accuracies = [[r.test_accuracy for r in e.runs] for e in (evaluation, comparison.other)]
    assert comparison.gap == paired_gap(*accuracies)
    assert json.loads((tmp_path / "x" / "plan.json").read_text())["runs"] == [
        *("dtg_ff-digits-mlp-s0", "dtg_ff-digits-mlp-s1", "bp-digits-mlp-s0", "bp-digits-mlp-s1")
    ]
    (tmp_path / "x" / "bp-digits-mlp-s1" / "result.json").unlink()
    assert resume(tmp_path / "x").against[0].gap == comparison.gap


def test_several_comparisons_share_the_first_arm(tmp_path, capsys):
    settings = SMALL | {"goodness.grid": 1}
    evaluation = run(tmp_path / "x", against=["bp", "bp_deepsup"], epochs=1, settings=settings, progress=True)
    assert [c.other.runs[0].algo for c in evaluation.against] == ["bp", "bp_deepsup"]
    first = evaluation.test_accuracy
    for comparison in evaluation.against:
        assert comparison.gap == Gap(first - comparison.other.test_accuracy, None, None, 1)
    text = capsys.readouterr().out
    assert "dtg_ff against bp, bp_deepsup on digits" in text
    assert "dtg_ff minus bp: " in text and "dtg_ff minus bp_deepsup: " in text
    # What was set for the first algorithm is not for the others.
    grids = {}
    for name in ("dtg_ff", "bp_deepsup"):
        config = json.loads((tmp_path / "x" / f"{name}-digits-mlp-s0" / "config.json").read_text())
        grids[name] = config["algorithm"]["terms"][0]["goodness"]["grid"]
    assert grids == {"dtg_ff": 1, "bp_deepsup": 4}


def test_both_arms_see_the_same_data_in_the_same_order():
    assert all(torch.equal(a, b) for a, b in zip(epoch_order(50, 8, 3, 1), epoch_order(50, 8, 3, 1), strict=True))
    orders = [torch.cat(epoch_order(48, 8, seed, epoch)).tolist() for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert len({tuple(o) for o in orders}) == 3
    assert all(sorted(o) == list(range(48)) for o in orders)


def test_paired_t_interval():
    assert paired_gap([0.5], [0.4]) == Gap(pytest.approx(0.1), None, None, 1)
    gap = paired_gap([0.90, 0.92, 0.91], [0.88, 0.91, 0.90])
    from scipy.stats import ttest_rel

    interval = ttest_rel([0.90, 0.92, 0.91], [0.88, 0.91, 0.90]).confidence_interval(0.95)
    assert (gap.low, gap.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_load_gives_the_trained_model_back(tmp_path, monkeypatch):
    from sklearn.datasets import load_digits

    accuracy = run(tmp_path / "x", epochs=8, settings={"backbone.width": 64}).test_accuracy
    monkeypatch.setattr(SteppingAlgorithm, "load_training_state", None)  # to predict no optimizer is needed
    model = ffzoo.load(tmp_path / "x")
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)
    classes, chances = model.predict(images), model.predict_proba(images)
    assert chances.shape == (1797, 10) and torch.equal(chances.argmax(1), classes)
    torch.testing.assert_close(chances.sum(1), torch.ones(1797))
    assert (
        float((classes.numpy() == digits.target).mean()) == model.score(images, digits.target) > accuracy - 0.05 > 0.8
    )
    forms = [images[:4, None], images[:4, :, :, None], torch.from_numpy(images[:4])]
    for form in forms:
        torch.testing.assert_close(model.predict_proba(form), chances[:4])
    torch.testing.assert_close(model.predict_proba(images[0]), chances[:1])
    with pytest.raises(DataError, match="uint8"):
        model.predict(digits.images)
    with pytest.raises(OptionError, match="not available"):
        ffzoo.load(tmp_path / "x", device="mps")
    with pytest.raises(DataError, match=r"expected \(N, 1, 8, 8\)"):
        model.predict(images[:, :4])


def test_minutes_fit_the_epochs(tmp_path):
    evaluation = run(tmp_path / "x", epochs=None, minutes=0.05)
    config = json.loads((tmp_path / "x" / "config.json").read_text())
    assert evaluation.runs[0].epochs == config["fit"]["epochs"] > 2
    assert config["minutes"] == 0  # a resumed run keeps the epochs that were chosen


def test_minutes_give_all_seeds_of_an_arm_the_same_epochs():
    evaluation = run(epochs=None, minutes=0.1, seeds=[0, 1], against="bp")
    for arm in (evaluation, evaluation.against[0].other):
        assert len({r.epochs for r in arm.runs}) == 1


def test_micro_batches_and_recomputation_learn_the_same(tmp_path):
    run(tmp_path / "a", epochs=1)
    for i, options in enumerate(({"micro_batch": 8}, {"checkpoint_blocks": True})):
        run(tmp_path / f"{i}", epochs=1, **options)
        first, second = (load_file(tmp_path / n / "checkpoint.safetensors") for n in ("a", f"{i}"))
        for key in (k for k in first if k.startswith("model.backbone")):
            torch.testing.assert_close(first[key], second[key], rtol=1e-3, atol=1e-4)


def test_divergence_is_an_error_and_keeps_the_last_checkpoint(tmp_path):
    with pytest.raises(DivergedError, match=r"lower fit\.lr"):
        settings = SMALL | {"fit.lr": 1e30, "fit.optimizer": "sgd", "fit.schedule": "constant"}
        run(tmp_path / "x", epochs=50, settings=settings)
    assert not (tmp_path / "x" / "result.json").exists()


def test_changed_data_is_refused_on_resume(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.integers(0, 255, (80, 6, 6), dtype=np.uint8), "y_train": np.arange(80) % 4}
    arrays |= {"x_test": arrays["x_train"][:40], "y_test": arrays["y_train"][:40]}
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    ffzoo.evaluate("dtg_ff", f"npz:{path}", epochs=1, backbone="mlp", out=tmp_path / "x")
    (tmp_path / "x" / "result.json").unlink()
    before = (tmp_path / "x" / "config.json").read_text()
    np.savez(path, **(arrays | {"x_test": 255 - arrays["x_test"]}))
    with pytest.raises(CheckpointError, match="other data"):
        resume(tmp_path / "x")
    assert (tmp_path / "x" / "config.json").read_text() == before


def test_a_model_of_floats_takes_floats(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(80, 5, 5, 2)).astype(np.float32)
    path = tmp_path / "set.npz"
    np.savez(path, x_train=images, y_train=np.arange(80) % 4, x_test=images[:20], y_test=np.arange(20) % 4)
    ffzoo.evaluate("dtg_ff", f"npz:{path}", epochs=1, backbone="mlp", out=tmp_path / "x")
    model = ffzoo.load(tmp_path / "x")
    assert model.predict_proba(images).shape == (80, 4)
    with pytest.raises(DataError, match="floating-point"):
        model.predict(np.zeros((3, 5, 5, 2), np.uint8))


def test_out_must_be_new(tmp_path):
    (tmp_path / "something").touch()
    with pytest.raises(OptionError, match="not empty"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": []}, "at least one"),
        ({"seeds": [1, 1]}, "each once"),
        ({"against": "dtg_ff"}, "itself"),
        ({"against": ["bp", "bp"]}, "twice"),
    ],
)
def test_bad_calls(options, message):
    with pytest.raises(OptionError, match=message):
        run(**options)


def test_peak_memory_outlives_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr("ffzoo.run.environment.peak_memory_bytes", lambda device: 100)
    run(tmp_path / "x", epochs=1)
    (tmp_path / "x" / "result.json").unlink()
    monkeypatch.setattr("ffzoo.run.environment.peak_memory_bytes", lambda device: 10)
    assert resume(tmp_path / "x").runs[0].peak_memory_bytes == 100


def test_an_automatic_micro_batch_is_measured_stored_and_used_again(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(evaluation, "fastest_micro_batch", lambda algorithm, batch: asked.append(len(batch.y)) or 8)
    run(tmp_path / "run", epochs=1, micro_batch="auto")
    stored = json.loads((tmp_path / "run" / "config.json").read_text())["execution"]["micro_batch"]
    assert asked == [32] and stored == 8
    (tmp_path / "run" / "result.json").unlink()
    resume(tmp_path / "run")
    assert asked == [32]


def test_an_automatic_micro_batch_changes_nothing_and_is_one_of_the_halves():
    algorithm = create("dtg_ff", "mlp", (1, 8, 8), 10)
    before = copy.deepcopy(algorithm.state_dict())
    batch = Batch(torch.randn(32, 1, 8, 8), torch.randint(10, (32,)))
    assert fastest_micro_batch(algorithm, batch, rounds=1) in (0, 16, 8)
    assert algorithm.execution.micro_batch == 0
    for name, value in algorithm.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_automatic_micro_batch_is_refused_where_it_would_learn_something_else():
    with pytest.raises(OptionError, match="batch statistics"):
        ffzoo.evaluate("dtg_ff", backbone="whitened_cnn", epochs=1, micro_batch="auto")


def test_a_call_leaves_torch_s_state_as_it_was(tmp_path):
    def state() -> tuple[object, ...]:
        return torch.get_rng_state().tolist(), torch.initial_seed(), torch.get_num_threads(), random.getstate()

    torch.manual_seed(123)
    torch.rand(5)
    before = state()
    run(tmp_path / "x", epochs=1)
    assert state() == before
    with pytest.raises(DivergedError):
        run(epochs=50, settings=SMALL | {"fit.lr": 1e30, "fit.optimizer": "sgd", "fit.schedule": "constant"})
    assert state() == before
    (tmp_path / "x" / "result.json").unlink()
    resume(tmp_path / "x")
    create("dtg_ff", "mlp", (1, 8, 8), 10)
    assert state() == before


MEMORY = """
import re
from pathlib import Path

import torch

import ffzoo
from ffzoo.eval import main


def given_back() -> int:
    def resident() -> int:
        return int(re.search(r"VmRSS:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

    x = torch.ones(2**25)
    before = resident()
    del x
    return before - resident()


ffzoo.evaluate("dtg_ff", "digits", epochs=1, settings={"data.train_size": 100, "backbone.width": 8})
print(given_back())
main(["--epochs", "1", "--set", "data.train_size=100", "--set", "backbone.width=8", "--quiet"])
print(given_back())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries have no such setting")
def test_freed_memory_is_kept_by_the_command_and_not_by_a_call():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    call, command = map(int, done.stdout.split())
    assert call > 100 and command < 28, "MiB of 128 that the process gave back"
