"""``ffzoo test`` and ``ffzoo.test``: a finished run on its own test set, and on other data."""

from __future__ import annotations

import csv
import json
import shutil
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import ffzoo
from ffzoo.cli.main import main
from ffzoo.errors import CheckpointError, DataError, OptionError

COLORS = {"blue": (20, 20, 230), "green": (20, 230, 20), "red": (230, 20, 20)}
SMALL = {"backbone.width": 16, "backbone.depth": 2, "data.validation": 0.2}


def pictures(folder, names, side, count, seed=0):
    """A folder per class, of noisy images of one colour."""
    rng = np.random.default_rng(seed)
    for name in names:
        (folder / name).mkdir(parents=True)
        for n in range(count):
            noise = rng.integers(-20, 20, (side, side, 3))
            Image.fromarray((np.array(COLORS[name]) + noise).clip(0, 255).astype(np.uint8)).save(
                folder / name / f"{n}.png"
            )
    return folder


@pytest.fixture(scope="module")
def colors(tmp_path_factory):
    """A run on pictures of three colours, and the folder that it lies in."""
    root = tmp_path_factory.mktemp("colors")
    pictures(root / "three", COLORS, 8, 20)
    ffzoo.evaluate(
        *("dtg_ff", f"folder:{root / 'three'}"),
        backbone="mlp",
        epochs=8,
        batch_size=10,
        settings=SMALL | {"data.resize": 8, "fit.lr": 0.01},
        out=root / "run",
    )
    return root


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits") / "run"
    ffzoo.evaluate("dtg_ff", "digits", epochs=2, settings={"data.train_size": 300, "backbone.width": 32}, out=folder)
    return folder


def test_its_own_test_set_gives_what_the_run_itself_found(digits):
    tested, result = ffzoo.test(digits), json.loads((digits / "result.json").read_text())
    assert (tested.accuracy, tested.per_block_accuracy) == (result["test_accuracy"], result["per_block_accuracy"])
    counts = torch.tensor(tested.confusion_matrix)
    assert counts.sum() == tested.samples == len(tested.scores) == 360
    assert float(counts.diag().sum()) / 360 == tested.accuracy < 1
    assert counts.sum(1).tolist() == tested.labels.bincount(minlength=10).tolist()  # a row per true class
    top = (tested.scores.topk(5).indices == tested.labels[:, None]).any(1).float().mean()
    assert tested.top5 == pytest.approx(float(top)) and tested.top5 < 1
    most = tested.confusions(1)[0]
    assert tested.confusion_matrix[int(most[0])][int(most[1])] == most[2] == (counts - counts.diag().diag()).max()
    assert not tested.notes


def test_the_calibration_error_is_that_of_the_predictions_written(digits, tmp_path):
    tested = ffzoo.test(digits)
    tested.write_csv(tmp_path / "p.csv")
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    right = np.array([row["label"] == row["predicted"] for row in rows])
    confidence = np.array([float(row["confidence"]) for row in rows])
    assert right.mean() == pytest.approx(tested.accuracy) and [row["index"] for row in rows[:2]] == ["0", "1"]
    bins = np.minimum((confidence * 15).astype(int), 14)
    error = sum(abs((confidence - right)[bins == b].sum()) for b in range(15)) / len(rows)
    assert error == pytest.approx(tested.calibration_error, abs=1e-3)
    frame = tested.to_dataframe()
    assert list(frame.columns) == ["index", "label", "predicted", "confidence"] and len(frame) == 360


def test_the_command_prints_it_and_writes_the_predictions(digits, tmp_path, capsys):
    assert main(["test", str(digits), "--csv", str(tmp_path / "p.csv")]) == 0
    out = capsys.readouterr().out
    tested = ffzoo.test(digits)
    assert f"{100 * tested.accuracy:.2f}" in out and f"{100 * tested.calibration_error:.2f}" in out
    assert "block 3" in out and "true \\ predicted" in out and "360 test samples of digits" in out
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 361


def test_another_folder_is_resized_and_its_classes_are_matched_by_name(colors, tmp_path):
    other = pictures(tmp_path / "two", ["green", "red"], 14, 6, seed=1)
    tested = ffzoo.test(colors / "run", f"folder:{other}")
    assert tested.samples == 12 and tested.accuracy == 1  # by number, green would be blue
    assert tested.confusion_matrix == [[0, 0, 0], [0, 6, 0], [0, 0, 6]]
    assert "no test part of its own" in tested.notes[0] and "matched with the model's 3" in tested.notes[1]


def test_images_of_another_size_are_resized_and_it_is_said(digits, tmp_path):
    images = torch.rand(40, 16, 16, generator=torch.Generator().manual_seed(0)).mul(255).byte().numpy()
    labels = np.arange(40) % 10
    np.savez(tmp_path / "x.npz", x_train=images[:20], y_train=labels[:20], x_test=images[20:], y_test=labels[20:])
    tested = ffzoo.test(digits, f"npz:{tmp_path / 'x.npz'}")
    assert tested.samples == 20 and tested.notes == ("images of 1x16x16 are resized to 1x8x8",)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": np.zeros((24, 8, 8, 3), np.uint8), "classes": 10}, r"pixels of shape 3x8x8; .* of shape 1x8x8"),
        ({"x": np.zeros((24, 8, 8), np.uint8), "classes": 12}, "has 12 classes, among them '10'; the model knows 10"),
    ],
)
def test_data_that_the_model_cannot_read_are_refused(arrays, expected, digits, tmp_path):
    x, y = arrays["x"], np.arange(24) % arrays["classes"]
    np.savez(tmp_path / "x.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(DataError, match=expected):
        ffzoo.test(digits, f"npz:{tmp_path / 'x.npz'}")


def test_an_unfinished_run_and_data_that_changed_are_said(digits, colors, tmp_path, capsys):
    cut = tmp_path / "cut"
    shutil.copytree(digits, cut)
    (cut / "result.json").unlink()
    with pytest.raises(CheckpointError, match=r"not finished \(2 of 2 epochs\)"):
        ffzoo.test(cut)
    assert main(["test", str(cut)]) == 2
    assert "--resume" in capsys.readouterr().err
    moved = tmp_path / "moved"
    shutil.copytree(colors, moved)
    next((colors / "three" / "red").iterdir()).unlink()
    assert "other data than the run was trained on" in ffzoo.test(moved / "run").notes[0]


def test_without_pandas_a_data_frame_is_refused_in_one_sentence(digits, monkeypatch):
    tested = ffzoo.test(digits)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OptionError, match=r"pip install 'ffzoo\[pandas\]'"):
        tested.to_dataframe()
