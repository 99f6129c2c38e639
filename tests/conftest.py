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
def zoo_pages(monkeypatch):
    """The module that makes the pages of the zoo."""
    monkeypatch.syspath_prepend(_PROJECT.parent / "docs" / "_ext")
    return importlib.import_module("zoo_pages")
