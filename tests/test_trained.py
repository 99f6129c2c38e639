"""A trained model as a module: what it returns, how it is saved, and that it exports with a free batch size."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ffzoo
from ffzoo.data.bundle import Preprocess
from ffzoo.data.options import DataOptions
from ffzoo.errors import CheckpointError, DataError, NotFittedError
from ffzoo.run.trained import Trained
from ffzoo.testing.strategies import Toy

SHAPE = (1, 12, 12)
SIZES = (1, 3, 8)
FEW = ("dtg_ff", "vanilla_ff", "scff", "softhebb", "noprop", "bp")  # a fusion that chooses, K passes, probes, no recipe


def trained(algo: str, backbone: str | nn.Module = "mlp", data_options: DataOptions | None = None) -> Trained:
    algorithm, toy = ffzoo.create(algo, backbone, SHAPE, 3), Toy(SHAPE, 3)
    algorithm.fit(list(toy), epochs=1, validation=list(toy))
    names, options = ("a", "b", "c"), data_options or DataOptions()
    return Trained(algorithm, Preprocess([0.4], [0.3]), names, SHAPE, True, options)


def net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip


def images(n: int) -> torch.Tensor:
    return torch.randint(256, (n, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(n))


def exports(model: Trained) -> None:
    program = torch.export.export(model, (images(4),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    for n in SIZES:
        torch.testing.assert_close(program(images(n)), model(images(n)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("algo", FEW)
def test_it_exports_with_a_free_batch_size(algo):
    exports(trained(algo))


def test_a_module_cut_by_hooks_exports_too():
    exports(trained("dtg_ff", net(), DataOptions(test_flip=True)))


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["mlp", "cnn"])
@pytest.mark.parametrize("algo", ffzoo.list_algorithms())
def test_every_rule_exports_with_a_free_batch_size(algo, backbone):
    if (algo, backbone) == ("greedy_infomax", "mlp"):
        pytest.skip("reads maps")
    exports(trained(algo, backbone))


@pytest.mark.parametrize("make", [lambda: trained("dtg_ff", net()), lambda: trained("scff")], ids=["cut", "probe"])
def test_onnx_gives_equal_outputs_at_any_batch_size(make, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model, path = make(), tmp_path / "m.onnx"
    shapes = ({0: torch.export.Dim.DYNAMIC},)
    torch.onnx.export(model, (images(4),), path, dynamo=True, dynamic_shapes=shapes, input_names=["x"], verbose=False)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n in SIZES:
        (scores,) = session.run(None, {"x": images(n).numpy()})
        torch.testing.assert_close(torch.from_numpy(scores), model(images(n)), rtol=1e-4, atol=1e-4)


def test_what_it_returns_agrees():
    model, x = trained("dtg_ff"), images(7)
    scores = model(x)
    assert torch.equal(model.predict(x, batch_size=3), scores.argmax(1))
    torch.testing.assert_close(model.predict_proba(x, batch_size=3), scores.softmax(1))
    depth = model.algorithm.backbone.depth
    features, blocks = model.features(x, batch_size=3), model.scores(x, batch_size=3)
    assert [len(f) for f in features] == [7] * depth and [b.shape for b in blocks] == [(7, 3)] * depth
    assert trained("softhebb").scores(x) is None
    wrong = (scores.argmax(1) + 1) % 3
    assert model.score(x, scores.argmax(1)) == 1.0 and model.score((x, wrong)) == 0.0
    assert not scores.requires_grad
    with pytest.raises(DataError, match="7 images but 3 labels"):
        model.score(x, wrong[:3])
    with pytest.raises(DataError, match="images are a str; expected an array"):
        model.predict("x.png")


def test_a_forward_pass_changes_nothing_whatever_the_mode():
    model, x = trained("dtg_ff", net()), images(6)
    before, state = model(x), {key: value.clone() for key, value in model.state_dict().items()}
    model.train()
    assert torch.equal(model(x), before)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def test_an_unfitted_probe_still_refuses(tmp_path):
    algorithm = ffzoo.create("scff", "mlp", SHAPE, 3)
    with pytest.raises(NotFittedError):
        Trained(algorithm, Preprocess([0.4], [0.3]), ("a", "b", "c"), SHAPE, True)(images(2))


def test_save_and_load(tmp_path):
    y = torch.arange(30) % 3
    model = ffzoo.fit("mlp", (images(30), y), "dtg_ff", epochs=1, progress=False, settings={"backbone.width": 8})
    model.save(tmp_path / "m")
    model.save(tmp_path / "m")
    again = ffzoo.load(tmp_path / "m")
    assert torch.equal(again(images(5)), model(images(5))) and again.class_names == model.class_names
    again.save(tmp_path / "copy")
    assert torch.equal(ffzoo.load(tmp_path / "copy")(images(5)), model(images(5)))
    ffzoo.evaluate("bp", (images(30), y), backbone="mlp", epochs=1, out=tmp_path / "run")
    with pytest.raises(CheckpointError, match="holds a run"):
        model.save(tmp_path / "run")
