"""``ffzoo new-plugin`` writes a distribution that is whole."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ffzoo.cli.main import main
from ffzoo.registry.loader import ZOO


def test_it_writes_a_rule_that_loads(tmp_path, capsys, monkeypatch):
    assert main(["new-plugin", "my_rule", "--out", str(tmp_path)]) == 0
    folder = tmp_path / "ffzoo-my-rule"
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {
        "pyproject.toml", "README.md", "ffzoo_my_rule.py", "tests/test_my_rule.py",
    }  # fmt: skip
    assert "ffzoo check my_rule" in capsys.readouterr().out
    assert not [p for p in folder.rglob("*") if p.is_file() and ("NAME" in p.read_text() or "DISTR" in p.read_text())]
    spec = importlib.util.spec_from_file_location("ffzoo_my_rule", folder / "ffzoo_my_rule.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    with ZOO.use(module):
        from ffzoo.algorithms.build import algorithm_spec

        assert algorithm_spec("my_rule").recipe.terms[0].goodness == "my_rule_goodness"


@pytest.mark.parametrize(
    ("name", "words"),
    [("My-Rule", "lower-case letters"), ("bp", "is there already"), ("twice", "expected a new folder")],
)
def test_a_name_that_cannot_be_gets_a_sentence(name, words, tmp_path, capsys):
    (tmp_path / "ffzoo-twice").mkdir()
    assert main(["new-plugin", name, "--out", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_its_wheel_runs_beside_ffzoo_in_an_environment_of_its_own(tmp_path):
    root = Path(__file__).resolve().parent.parent
    for package in ("pip", "hatchling"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    assert main(["new-plugin", "my_rule", "--out", str(tmp_path)]) == 0
    wheels, place = tmp_path / "wheels", tmp_path / "venv"
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(wheels),
    ]
    for source in (root, tmp_path / "ffzoo-my-rule"):
        subprocess.run([*build, str(source)], check=True, cwd=tmp_path)
    venv.create(place, with_pip=False)
    (site,) = place.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, *map(str, wheels.glob("*.whl"))], check=True, cwd=tmp_path)
    # What both depend on lies in the environment of the tests; ffzoo itself must come from the wheel.
    (site / "dependencies.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")))
    env = {key: value for key, value in os.environ.items() if not key.startswith(("FFZOO_", "PYTHON"))}

    def python(*words: str) -> str:
        done = subprocess.run(
            [str(place / "bin" / "python"), *words], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    assert str(site) in python("-c", "import ffzoo; print(ffzoo.__file__)")
    listed = json.loads(python("-m", "ffzoo", "plugins", "--json"))
    found = {plugin["plugin"]: plugin["distribution"] for plugin in listed["plugins"]}
    assert found["my_rule"] == "ffzoo-my-rule" and listed["skipped"] == []
    python("-m", "ffzoo", "train", "--algo", "my_rule", "--epochs", "8", "--quiet", "--out", "run")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["strictly_local"] and result["test_accuracy"] > 0.5
    python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "ffzoo-my-rule" / "tests"))
