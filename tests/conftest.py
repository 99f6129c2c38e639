"""Shared settings: one thread, reproducible hypothesis, and only the shipped plugins."""

# ruff: noqa: E402
from __future__ import annotations

import importlib
import os
import tomllib
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
if _PROJECT.exists():
    _SHIPPED = tomllib.loads(_PROJECT.read_text())["project"]["entry-points"]["ffzoo"]
    os.environ.setdefault("FFZOO_LOAD_PLUGINS", ",".join(_SHIPPED))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)
settings.register_profile(
    "default",
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=500, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture
def same_start():
    """Random numbers that do not hang on the tests before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def timm_model():
    """Partitions of timm models, each built once; a test that changes one copies it first."""
    from ffzoo.backbones.options import Timm
    from ffzoo.backbones.partitioned import Partition
    from ffzoo.backbones.timm_source import timm_backbone
    from tests.backbone_models import TIMM

    built: dict[str, Partition] = {}

    def get(name: str) -> Partition:
        if name not in built:
            torch.manual_seed(0)
            built[name] = timm_backbone(Timm(), name, (3, TIMM[name], TIMM[name]))
        return built[name]

    return get


@pytest.fixture
def zoo_pages(monkeypatch):
    """The module that makes the pages of the zoo."""
    monkeypatch.syspath_prepend(_PROJECT.parent / "docs" / "_ext")
    return importlib.import_module("zoo_pages")


@pytest.fixture
def few_channels(monkeypatch):
    """Tiny networks gain by Winograd convolutions."""
    from ffzoo.kernels import winograd

    for name, value in (("_CHANNELS", 1), ("_PRODUCT", 1), ("_FEWER", 0)):
        monkeypatch.setattr(winograd, name, value)
