"""A run that goes on: options given again, more epochs, data that moved or are gone, another run's weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ffzoo
from ffzoo.cli.main import main
from ffzoo.errors import CheckpointError
from ffzoo.plugin import Observer
from ffzoo.run.evaluate import resume
from ffzoo.run.folder import RunFolder
from ffzoo.run.results import RunResult

SMALL = {"data.train_size": 150, "data.test_size": 60, "backbone.width": 16, "backbone.depth": 2}
FLAT = SMALL | {"fit.schedule": "constant"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "x"
    ffzoo.evaluate("dtg_ff", epochs=2, settings=FLAT, out=folder)
    return folder


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "x")
    return tmp_path / "x"


def tensors(folder):
    return load_file(folder / "checkpoint.safetensors")


def test_more_epochs_end_where_a_run_of_as_many_would_have_ended(run, tmp_path):
    assert main(["train", "--resume", str(run), "--epochs", "4", "--quiet"]) == 0
    ffzoo.evaluate("dtg_ff", epochs=4, settings=FLAT, out=tmp_path / "whole")
    first, second = tensors(run), tensors(tmp_path / "whole")
    assert first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)
    result, whole = RunResult.read(run), RunResult.read(tmp_path / "whole")
    assert (result.epochs, result.test_accuracy) == (4, whole.test_accuracy) and result.test_reads == 2
    assert [line["epoch"] for line in RunFolder(run).metrics()] == [1, 2, 3, 4]
    assert RunFolder(run).config()["fit"]["epochs"] == 4


def test_a_schedule_is_stretched_to_the_epochs_there_are_now(tmp_path):
    ffzoo.evaluate("dtg_ff", epochs=2, settings=SMALL, out=tmp_path / "x")
    rates = []

    class Rates(Observer):
        def start(self, run):
            self.algorithm = run.algorithm

        def step(self, metrics):
            rates.append(self.algorithm.rate())

    resume(tmp_path / "x", given={"epochs": 4}, observers=[Rates()])
    assert 0.4 < rates[0] < 0.5 and rates[-2] < 0.1  # from the middle of a cosine to its end


SAME = ["--algo", "dtg_ff", "--dataset", "digits", "--backbone", "mlp", "--epochs", "2", "--seed", "0"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([*SAME, "--set", "backbone.width=16", "--set", "fit.schedule=constant", "--set", "goodness.grid=4"], ""),
        (["--epochs", "1"], "fit.epochs 2, not 1: that cannot change; expected at least as many"),
        (
            ["--set", "fit.lr=0.5"],
            "fit.lr 0.001, not 0.5: that cannot change; expected the same, or a new run with --from",
        ),
        (["--set", "goodness.grid=2"], "goodness.grid 4, not 2"),
        (["--set", "backbone.width=8"], "backbone_options.width 16, not 8"),
        (["--algo", "bp"], "algo 'dtg_ff', not 'bp'"),
        (["--against", "bp"], "against 'none', not 'bp'"),
        (["--seeds", "0,1"], "seeds '0', not '0,1'"),
        (["--minutes", "1"], "minutes cannot change"),
        (["--out", "y"], "--out cannot change"),
        (["--set", "fit.lrr=1"], "did you mean"),
    ],
)
def test_what_is_said_again_is_compared_with_what_was_stored(finished, words, expected, capsys):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    assert main(["train", "--resume", str(finished), "--quiet", *words]) == (2 if expected else 0)
    assert expected in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before


def test_options_of_one_algorithm_are_compared_with_its_own_runs_alone(tmp_path):
    ffzoo.evaluate("dtg_ff", against="bp", epochs=1, settings=SMALL | {"goodness.grid": 1}, out=tmp_path / "x")
    given = {"against": ("bp",), "seeds": (0,), "settings": {"goodness.grid": "1", "fit.lr": "0.001"}}
    assert resume(tmp_path / "x", given=given).against[0].other.runs[0].algo == "bp"
    with pytest.raises(CheckpointError, match=r"goodness\.grid 1, not 2"):
        resume(tmp_path / "x", given={"settings": {"goodness.grid": 2}})


@pytest.fixture
def on_arrays(tmp_path):
    """A run on a file, which is cut short, and the arrays of the file."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (80, 6, 6), dtype=np.uint8), np.arange(80) % 4
    arrays = {"x_train": x, "y_train": y, "x_test": x[:40], "y_test": y[:40]}
    np.savez(tmp_path / "set.npz", **arrays)
    settings = {"backbone.width": 8, "backbone.depth": 2}
    ffzoo.evaluate(
        "dtg_ff", f"npz:{tmp_path / 'set.npz'}", epochs=1, backbone="mlp", settings=settings, out=tmp_path / "x"
    )
    return tmp_path, arrays


def test_data_that_moved_are_accepted_if_they_are_the_same(on_arrays):
    folder, arrays = on_arrays
    (folder / "set.npz").rename(folder / "moved.npz")
    moved = f"npz:{folder / 'moved.npz'}"
    (result,) = resume(folder / "x", given={"dataset": moved, "epochs": 2}).runs
    assert result.dataset == moved and json.loads((folder / "x" / "config.json").read_text())["dataset"] == moved
    np.savez(folder / "other.npz", **(arrays | {"x_test": 255 - arrays["x_test"]}))
    with pytest.raises(CheckpointError, match=r"other data than npz:.*other\.npz holds"):
        resume(folder / "x", given={"dataset": f"npz:{folder / 'other.npz'}"})


def test_a_finished_run_whose_data_are_gone_stays_readable(on_arrays, capsys):
    folder, _ = on_arrays
    (folder / "set.npz").unlink()
    assert main(["train", "--resume", str(folder / "x")]) == 0
    assert "test %" in capsys.readouterr().out
    assert ffzoo.load(folder / "x").shape == (1, 6, 6)
    assert main(["train", "--resume", str(folder / "x"), "--epochs", "3"]) == 2
    assert "set.npz" in capsys.readouterr().err and (folder / "x" / "result.json").exists()


class First(Observer):
    """Keeps the weights that a run begins with."""

    def start(self, run):
        self.state = {key: value.clone() for key, value in run.algorithm.state_dict().items()}
        self.config = run.config


def test_a_run_begins_with_the_weights_and_options_of_another(finished, tmp_path, capsys):
    from ffzoo.run.evaluate import train_from
    from ffzoo.run.spec import RunSpec

    first, before = First(), (finished / "result.json").read_bytes()
    spec = RunSpec(out=tmp_path / "z", observers=(first,))
    train_from(finished, spec, {"epochs": 1, "settings": {"fit.lr": "0.0003"}})
    stored = tensors(finished)
    assert all(torch.equal(value, stored[f"model.{key}"]) for key, value in first.state.items())
    fit = json.loads((tmp_path / "z" / "config.json").read_text())
    assert (fit["fit"]["lr"], fit["fit"]["epochs"], fit["fit"]["schedule"]) == (0.0003, 1, "constant")
    assert fit["backbone_options"]["width"] == 16 and fit["from"] == str(finished)
    assert (finished / "result.json").read_bytes() == before
    assert main(["train", "--from", str(finished), "--epochs", "1"]) == 0
    assert "weights and buffers; optimizers, schedule and order begin anew" in capsys.readouterr().out


def test_on_data_of_other_classes_what_does_not_fit_begins_anew_and_is_named(finished, tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (60, 8, 8), dtype=np.uint8), np.arange(60) % 4
    np.savez(tmp_path / "four.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    words = [
        "--dataset",
        f"npz:{tmp_path / 'four.npz'}",
        "--set",
        "data.train_size=none",
        "--set",
        "data.test_size=none",
    ]
    assert main(["train", "--from", str(finished), *words, "--epochs", "1", "--out", str(tmp_path / "z")]) == 0
    out = capsys.readouterr().out
    assert "not taken over, as their shapes differ or they are fitted at the end: goodness" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--algo", "bp"], "algo is 'bp'"),
        (["--against", "bp"], "against cannot be given with --from"),
        (["--set", "backbone.width=12", "--set", "backbone.depth=1"], "no weights that fit this backbone"),
    ],
)
def test_what_cannot_be_taken_over_is_said(finished, words, expected, capsys):
    assert main(["train", "--from", str(finished), "--quiet", *words]) == 2
    assert expected in capsys.readouterr().err
