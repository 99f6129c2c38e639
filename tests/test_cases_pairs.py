"""Every rule on every backbone ends with a result, or with one sentence: never with a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ffzoo
from ffzoo.cli.main import main

BACKBONES = {
    "mlp": ("backbone.width=8", "backbone.depth=2"),
    "cnn": ("backbone.width=8", "backbone.depth=2"),
    "resnet": ("backbone.width=8",),
    "whitened_cnn": ("backbone.widths=8,8",),
    "timm:test_resnet": (),
    "timm:test_vit": (),
    "timm:test_convnext": (),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 16x16 grey stripes."""
    path = tmp_path_factory.mktemp("pairs") / "stripes.npz"
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    rows, columns = np.mgrid[:16, :16]
    x = np.stack([np.where((rows, columns, rows + columns)[k] % 4 < 2, 40, 215) for k in y])
    x = np.clip(x + random.normal(0, 12, x.shape), 0, 255).astype(np.uint8)
    np.savez(path, x_train=x[:45], y_train=y[:45], x_test=x[45:], y_test=y[45:])
    return path


def train(images: Path, algo: str, backbone: str, *settings: str) -> int:
    words = ["train", "--algo", algo, "--backbone", backbone, "--dataset", f"npz:{images}"]
    words += ["--epochs", "1", "--batch-size", "8", "--quiet", "--device", "cpu"]
    for setting in settings:
        words += ["--set", setting]
    return main(words)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("algo", ffzoo.list_algorithms())
def test_every_rule_on_every_backbone_ends(
    algo: str, backbone: str, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = train(images, algo, backbone, *BACKBONES[backbone])
    said = capsys.readouterr().err
    assert status in (0, 2), said
    assert status == 0 or said.startswith("error: "), said
