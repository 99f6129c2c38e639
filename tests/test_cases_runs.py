"""Runs as people start them: own loops, terminals, compilers, names; each wrong one ends with one sentence."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ffzoo
from ffzoo.backbones.options import Timm
from ffzoo.backbones.timm_names import timm_name
from ffzoo.backbones.timm_source import timm_backbone
from ffzoo.cli.main import main
from ffzoo.errors import DataError, DataWarning, OptionError, UnknownNameError
from ffzoo.printing import all_printable, nearest_text
from ffzoo.run import environment
from ffzoo.run.spec import dataset_entry
from ffzoo.training.fit import DivergedError

TINY = {"backbone.width": 8, "backbone.depth": 2}


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """Three classes of four features, no test set."""
    y = np.arange(90) % 3
    x = (np.random.default_rng(0).normal(0, 0.4, (90, 4)) + np.eye(4)[y]).astype(np.float32)
    np.savez(tmp_path / "iris.npz", x=x, y=y)
    return tmp_path / "iris.npz"


# --- own loops -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algo", ["dtg_ff", "dfa", "bp", "vanilla_ff", "softhebb"])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.rand(4, 6), torch.zeros(1, dtype=torch.long), "4 samples and 1 labels"),
        (torch.rand(1, 6), torch.zeros(4, dtype=torch.long), "1 samples and 4 labels"),
        (torch.rand(0, 6), torch.zeros(0, dtype=torch.long), "0 samples and 0 labels"),
        (torch.rand(4, 6), torch.zeros(4, 1, dtype=torch.long), r"labels int64 \(4, 1\); expected int64 \(B,\)"),
        (torch.rand(4, 6), torch.zeros(4, 3), r"labels float32 \(4, 3\)"),
        (torch.rand(4, 6), torch.zeros(4, dtype=torch.int32), r"labels int32 \(4,\)"),
        (torch.rand(4, 6), torch.tensor([0, 1, 2, 3]), "labels from 0 to 3; expected 0 to 2"),
        (torch.rand(4, 6), torch.tensor([0, 1, 2, -1]), "labels from -1 to 2; expected 0 to 2"),
        (torch.zeros(4, 6, dtype=torch.uint8), torch.tensor([0, 1, 2, 0]), r"type uint8; .*x.float\(\) / 255"),
    ],
)
def test_batches_that_cannot_be_trained_on(algo: str, x: torch.Tensor, y: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ffzoo.create(algo, "mlp", (6,), 3).train_step(x, y)


@pytest.mark.parametrize("algo", ["bp", "dtg_ff", "mono_forward", "dfa"])
def test_a_batch_of_one_under_batch_statistics(algo: str) -> None:
    algorithm = ffzoo.create(algo, "timm:test_resnet", (3, 32, 32), 3)
    algorithm.train_step(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0]))
    small = torch.rand(1, 3, 4, 4)
    layer = torch.nn.BatchNorm2d(3)
    with pytest.raises(ValueError, match="Expected more than 1"):
        layer(small[..., :1, :1])  # what torch says
    tiny = ffzoo.create(algo, "timm:test_resnet", (3, 8, 8), 3)
    with pytest.raises(DataError, match=r"a batch of 1 leaves batch normalization one value per channel.*drop_last"):
        tiny.train_step(torch.rand(1, 3, 8, 8), torch.tensor([0]))


# --- predictions ------------------------------------------------------------------------------------------


def trained_on(x: np.ndarray[Any, Any], folder: Path) -> Any:
    np.savez(folder / "x.npz", x=x, y=np.arange(len(x)) % 3)
    ffzoo.evaluate(
        "dtg_ff",
        f"npz:{folder / 'x.npz'}",
        epochs=1,
        batch_size=16,
        settings=TINY,
        out=folder / "run",
    )
    return ffzoo.load(folder / "run")


def test_pixels_of_every_type_are_predicted_or_refused(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (30, 8, 8), dtype=np.uint8)
    model = trained_on(x, tmp_path)
    wanted = model.predict(x)
    for dtype in (np.int16, np.uint16, np.int64, np.uint32):
        assert torch.equal(model.predict(x.astype(dtype)), wanted)
    for bad, message in (
        (x.astype(int) - 300, "int64 values from -300 to -45; this model was trained on uint8 pixels"),
        (x.astype(np.uint16) * 257, "uint16 values from 0 to 65535"),
        (x > 100, "bool values"),
        (x / 255, "float64 values"),
        (x + 1j, "complex128 values"),
        (x[:, :4], r"shape \(30, 4, 8\); expected \(N, 1, 8, 8\)"),
        (np.stack([x] * 3, -1), r"shape \(30, 8, 8, 3\); .*; data.channels=3 trains on images of 3 channels"),
    ):
        with pytest.raises(DataError, match=message):
            model.predict(bad)


def test_grey_pixels_for_a_model_of_colour(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    model = trained_on(x, tmp_path)
    for grey in (x[..., 0], x[..., :1]):
        with pytest.raises(DataError, match=r"data\.channels=1 trains on images of 1 channel"):
            model.predict(grey)


def test_features_of_every_type_are_predicted(tmp_path: Path) -> None:
    x = (np.random.default_rng(0).random((30, 5)) > 0.5).astype(np.uint8)
    model = trained_on(x, tmp_path)
    wanted = model.predict(x.astype(np.float32))
    for dtype in (bool, np.uint8, np.int64, np.float64):
        assert torch.equal(model.predict(x.astype(dtype)), wanted)
    with pytest.raises(DataError, match="complex128 values"):
        model.predict(x + 1j)


# --- a look at the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "side", "said"),
    [
        ("test_vit", 32, ()),
        ("vit_tiny_patch16_224", 28, ("never reads 67 % of an image of 28x28", "data.resize=32")),
        ("test_resnet", 28, ()),
        ("test_efficientnet", 30, ()),
    ],
)
def test_pixels_that_are_never_read_are_said(name: str, side: int, said: tuple[str, ...]) -> None:
    notes = timm_backbone(Timm(), name, (1, side, side)).cautions
    assert bool(notes) == bool(said)
    assert all(part in notes[0] for part in said)


def test_a_label_over_most_features_is_said() -> None:
    notes = ffzoo.create("vanilla_ff", "mlp", (4,), 3).notes
    assert "over 3 of 4 inputs" in notes[0] and "label_embedding=concat" in notes[0]
    assert not ffzoo.create("vanilla_ff", "mlp", (64,), 10).notes and not ffzoo.create("dtg_ff", "mlp", (4,), 3).notes


def test_dead_blocks_are_said(features: Path) -> None:
    with pytest.warns(DataWarning, match=r"dead blocks: the output of .* is the same for every sample.*now 1000"):
        ffzoo.evaluate(
            "vanilla_ff",
            f"npz:{features}",
            epochs=2,
            batch_size=8,
            settings=TINY | {"fit.lr": 1000.0, "fit.schedule": "constant"},
        )


def test_living_blocks_are_not(features: Path, recwarn: pytest.WarningsRecorder) -> None:
    ffzoo.evaluate("dtg_ff", f"npz:{features}", epochs=2, batch_size=8, settings=TINY)
    assert not [w for w in recwarn if issubclass(w.category, DataWarning)]


def test_a_fusion_that_chooses_nothing_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm = ffzoo.create("vanilla_ff", "mlp", (6,), 3)
    assert algorithm.fusion == "sum"
    batches = [(torch.rand(4, 6), torch.tensor([0, 1, 2, 0]))]
    monkeypatch.setattr(type(algorithm), "_block_scores", lambda *_: pytest.fail("a pass that chooses nothing"))
    algorithm.fit(batches, epochs=1, validation=batches)


def test_features_have_a_backbone_by_themselves(features: Path) -> None:
    assert ffzoo.evaluate("dtg_ff", f"npz:{features}", epochs=1, batch_size=8, settings=TINY).runs[0].backbone == "mlp"


# --- terminals -------------------------------------------------------------------------------------------


def test_the_nearest_text() -> None:
    assert nearest_text("97.5 ± 0.1 × “ä” → ł 学") == '97.5 +/- 0.1 x "a" -> l ?'


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_every_stream_prints_what_it_has(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    with all_printable():
        print("90 ± 1 → ł")
        sys.stdout.flush()
    assert raw.getvalue().decode(encoding).strip().endswith("-> l")
    assert sys.stdout.errors == "strict"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_commands_on_such_a_terminal(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    for name in ffzoo.list_algorithms():
        assert main(["card", name]) == 0
    assert main(["card", "dtg_ff", "--json"]) == 0 and main(["list"]) == 0
    sys.stdout.flush()


def test_the_table_of_several_seeds_in_ascii(features: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    settings = [f"--set={key}={value}" for key, value in TINY.items()]
    words = ["train", "--dataset", f"npz:{features}", "--epochs", "1", "--batch-size", "8", "--seeds", "0,1"]
    assert main([*words, *settings]) == 0
    sys.stdout.flush()
    assert " +/- " in raw.getvalue().decode("ascii")


# --- compilers and folders -------------------------------------------------------------------------------


def test_no_compiler_is_said_before_the_folder_is_made(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert main(["train", "--dataset", f"npz:{features}", "--compile", "--out", str(tmp_path / "run")]) == 2
    assert "compile needs a C++ compiler, and there is no g++ here" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("device", "variable"), [("cpu", "CXX"), ("cuda", "CC")])
def test_the_compiler_that_is_named_must_be_there(device: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "no-such-compiler -O2")
    with pytest.raises(OptionError, match=f"there is no no-such-compiler here; .*variable {variable}"):
        environment.require_compiler(torch.device(device))
    monkeypatch.setenv(variable, sys.executable)
    environment.require_compiler(torch.device(device))


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
@pytest.mark.parametrize("error", [RuntimeError, DivergedError, MemoryError])
def test_a_folder_is_free_again_after_a_failure_in_the_first_epoch(
    features: Path, tmp_path: Path, seeds: tuple[int, ...], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error("in the first step")

    monkeypatch.setattr("ffzoo.run.runner.fit", fail)
    with pytest.raises(error):
        ffzoo.evaluate(
            "dtg_ff", f"npz:{features}", epochs=1, batch_size=8, seeds=seeds, settings=TINY, out=tmp_path / "run"
        )
    assert not (tmp_path / "run").exists()


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("timm/resnet18.a1_in1k", "resnet18.a1_in1k"),
        ("hf-hub:timm/resnet18.a1_in1k", "resnet18.a1_in1k"),
        ("ResNet-18", "resnet18"),
        ("resnet18", "resnet18"),
        ("ViT-Tiny-Patch16-224", "vit_tiny_patch16_224"),
        ("resnet18.no_such_tag", "resnet18"),
    ],
)
def test_models_of_timm_by_other_names(name: str, meant: str) -> None:
    assert timm_name(name) == meant
    if name != "resnet18":
        with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'"):
            timm_backbone(Timm(), name, (3, 32, 32))
    if ":" not in name:
        with pytest.raises(UnknownNameError, match=f"did you mean 'timm:{meant}'"):
            ffzoo.create("dtg_ff", name, (3, 32, 32), 3)


def test_data_sets_by_other_names(tmp_path: Path) -> None:
    for name, meant in (
        ("PathMNIST", "medmnist:pathmnist"),
        ("pathmnist", "medmnist:pathmnist"),
        ("x.npz", "npz:x.npz"),
        (str(tmp_path), f"folder:{tmp_path}"),
    ):
        with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'"):
            dataset_entry(name)
