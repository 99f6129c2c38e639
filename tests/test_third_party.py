"""A distribution of somebody else's: installed beside ffzoo, it is there like what ships."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CUBIC = Path(__file__).resolve().parent.parent / "docs" / "examples" / "ffzoo-cubic"
PROJECT = tomllib.loads((CUBIC / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def environment(site: Path) -> dict[str, str]:
    """As after an installation: the folder on the path, and no choice of plugins."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("FFZOO_")}
    return env | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}


def python(site: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=environment(site), cwd=site, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """What an installer leaves behind, written by hand: the package and its metadata."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(CUBIC / "ffzoo_cubic.py", site)
    info = site / f"ffzoo_cubic-{PROJECT['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    points = [f"{name} = {value}" for name, value in PROJECT["entry-points"]["ffzoo"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[ffzoo]", *points, ""]), encoding="utf-8")
    return site


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The same by pip, from the example's folder."""
    for package in ("pip", "hatchling"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    source = tmp_path / "ffzoo-cubic"
    shutil.copytree(CUBIC, source, ignore=shutil.ignore_patterns("__pycache__"))
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "--target", str(site), str(source)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return site


def check_listing(site: Path) -> None:
    listing = json.loads(python(site, "-m", "ffzoo.plugins", "--json"))
    assert listing["skipped"] == []
    found = {plugin["plugin"]: plugin for plugin in listing["plugins"]}
    assert "cubic" in found, f"the plugins found are {sorted(found)}"
    assert found["cubic"] == {
        "plugin": "cubic",
        "distribution": "ffzoo-cubic",
        "version": PROJECT["version"],
        "registered": {"algorithms": ["cubic_ff"], "goodness": ["mean_cubes"]},
    }
    shipped = {plugin["plugin"] for plugin in listing["plugins"] if plugin["distribution"] == "ffzoo"}
    assert shipped >= {"bp", "dtg_ff", "vanilla_ff"}


def check_run(site: Path, out: Path) -> None:
    run = ["-m", "ffzoo.eval", "--algo", "cubic_ff", "--epochs", "1", "--quiet", "--out", str(out)]
    assert python(site, *run) == ""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["algo"] == "cubic_ff"
    assert result["strictly_local"] is True
    assert result["test_accuracy"] > 0.3
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert config["plugins"]["cubic"] == f"ffzoo-cubic {PROJECT['version']}"
    assert config["algorithm"]["terms"][0]["goodness"] == {"name": "mean_cubes"}


def test_it_is_listed_with_its_distribution(unpacked):
    check_listing(unpacked)


def test_listing_and_resolving_it_import_no_torch(unpacked):
    script = """
import sys
from ffzoo.cli.plugins import listing
from ffzoo.run.spec import make_run

assert any(plugin["plugin"] == "cubic" for plugin in listing()["plugins"])
make_run("cubic_ff", settings={"loss.threshold": 1.0})
assert "torch" not in sys.modules, "torch was imported"
"""
    python(unpacked, "-c", script)


def test_it_trains_from_the_command_line(unpacked, tmp_path):
    check_run(unpacked, tmp_path / "run")


def test_it_is_what_the_pages_say_a_plugin_is():
    lines = [line for line in (CUBIC / "ffzoo_cubic.py").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 20, f"the example has {len(lines)} lines of Python; expected at most 20"
    for page in ("write-your-own", "index"):
        text = (CUBIC.parents[1] / f"{page}.md").read_text(encoding="utf-8")
        assert f"one file of {len(lines)} lines" in " ".join(text.split()), f"docs/{page}.md counts otherwise"
    assert "ffzoo" in PROJECT["dependencies"]


@pytest.mark.slow
def test_pip_installs_it(installed, tmp_path):
    check_listing(installed)
    check_run(installed, tmp_path / "run")


@pytest.mark.slow
def test_it_learns_the_digits_and_passes_the_kit(unpacked, tmp_path):
    python(unpacked, "-m", "ffzoo.eval", "--algo", "cubic_ff", "--quiet", "--out", str(tmp_path / "run"))
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert result["test_accuracy"] > 0.9
    python(unpacked, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(CUBIC), str(CUBIC / "tests"))
