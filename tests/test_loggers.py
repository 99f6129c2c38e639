"""Other people's loops and loggers, with the real packages where they are installed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

import ffzoo
from ffzoo.cli import train
from ffzoo.cli.main import parser
from ffzoo.errors import OptionError

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
DATA = (torch.randint(256, (40, 1, 6, 6), dtype=torch.uint8), torch.arange(40) % 4)
SMALL = {"backbone": "mlp", "epochs": 2, "settings": {"backbone.width": 8, "backbone.depth": 2}}


@pytest.mark.skipif(not EXAMPLES.exists(), reason="not a source checkout")
@pytest.mark.parametrize(
    ("name", "package"), [("lightning_module", "pytorch_lightning"), ("plain_loop", "torchmetrics")]
)
@pytest.mark.filterwarnings("ignore")
def test_an_example_of_a_loop_trains(name, package, tmp_path, monkeypatch, same_start):
    pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    assert runpy.run_path(str(EXAMPLES / f"{name}.py"))["accuracy"] > 0.9


def test_tensorboard_gets_every_epoch_and_the_test_accuracy(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = ffzoo.evaluate("mono_forward", DATA, observers=["tensorboard"], out=tmp_path / "x", **SMALL)
    events = EventAccumulator(str(tmp_path / "x" / "tensorboard"))
    events.Reload()
    assert [e.step for e in events.Scalars("loss/1")] == [1, 2]
    (test,) = events.Scalars("test_accuracy")
    assert test.value == pytest.approx(result.test_accuracy)


def test_tensorboard_without_a_folder_writes_into_runs(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    monkeypatch.chdir(tmp_path)
    settings = {"settings": SMALL["settings"], "epochs": 1, "progress": False}
    ffzoo.fit("mlp", DATA, "mono_forward", observers=["tensorboard"], **settings)
    assert list(tmp_path.glob("runs/tensorboard/mono_forward-arrays-mlp-s0/events*"))


def test_wandb_gets_every_epoch_offline(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    for key, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(key, value)
    ffzoo.evaluate("mono_forward", DATA, observers=["wandb"], out=tmp_path / "x", **SMALL)
    wandb.teardown()  # what writes the file is another process, which has then ended
    (file,) = (tmp_path / "x").glob("wandb/offline-run-*/*.wandb")
    assert b"loss/1" in file.read_bytes() and b"test_accuracy" in file.read_bytes()


def test_log_is_an_option_of_the_command():
    spec = train.spec(parser().parse_args(["train", "--log", "tensorboard,wandb"]))
    assert spec.observers == ("tensorboard", "wandb")


@pytest.mark.parametrize(("name", "module"), [("tensorboard", "torch.utils.tensorboard"), ("wandb", "wandb")])
def test_a_logger_that_is_not_installed_is_said_before_anything_is_trained(name, module, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(OptionError, match=rf"pip install 'ffzoo\[{name}\]'"):
        ffzoo.evaluate("mono_forward", DATA, observers=[name], **SMALL)
