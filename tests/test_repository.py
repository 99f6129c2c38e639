"""What holds for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ffzoo

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "ffzoo").rglob("*.py"))
pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="not a source checkout")


def tracked() -> list[Path]:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def code_only(text: str) -> str:
    """Without comments, docstrings and help texts: examples may name an algorithm, code may not."""
    text = re.sub(r'"""(?:.|\n)*?"""', "", text)
    return re.sub(r"#.*", "", text)


def test_the_core_names_no_algorithm_and_imports_no_plugin():
    names = [name for name in ffzoo.list_algorithms() if name != "bp"]
    # The command's default algorithm, and those of calls.
    defaults = {name: ["dtg_ff"] for name in ("evaluate.py", "spec.py", "fitting.py")}
    defaults["estimator.py"] = ["mono_forward"]  # it needs no validation samples
    for path in CORE:
        text = code_only(path.read_text())
        assert not re.search(r"^\s*(from|import) ffzoo_", text, re.M), path
        found = [n for n in names if re.search(rf"\b{n}\b", text) and n not in defaults.get(path.name, [])]
        assert not found, f"{path.relative_to(ROOT)} names {found}"


def test_shipped_plugins_use_only_public_modules():
    for path in (ROOT / "plugins").rglob("*.py"):
        for line in re.findall(r"^\s*(?:from|import) (ffzoo[\w.]*)", path.read_text(), re.M):
            assert not any(part.startswith("_") for part in line.split(".")), f"{path}: {line}"


def test_no_path_of_a_machine_and_no_registry_host_in_the_repository():
    hosts = r"files\.pythonhosted\.org|pypi\.org/simple|download\.pytorch\.org"
    pattern = re.compile(rf"(?<![\w.])/(?:root|home|work|Users|mnt)/\w|{hosts}")
    for path in tracked():
        if path.suffix in {".png", ".svg", ".npz"} or path == Path(__file__):
            continue
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found[0]}"


def test_the_readme_has_two_commands_and_ci_runs_the_second():
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^python3\.11 -m venv .*$", readme, re.M)
    assert len(commands) == 2
    assert "ffzoo.eval --algo dtg_ff" in commands[0]
    assert commands[1] in (ROOT / ".ci" / "run").read_text()


def test_an_algorithm_file_is_a_page():
    for path in (ROOT / "plugins").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 150, path


def test_importing_the_package_imports_no_torch():
    code = "import sys, ffzoo; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_public_name_resolves():
    for name in ffzoo.__all__:
        assert getattr(ffzoo, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = ffzoo.nothing_of_that_name


@pytest.mark.slow
def test_the_wheel_holds_core_and_plugins(tmp_path):
    pytest.importorskip("hatchling")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        points = next(n for n in names if n.endswith("entry_points.txt"))
        assert "ffzoo_zoo" in file.read(points).decode()
    data = ("ffzoo/py.typed", "ffzoo/data/imagenet100.txt", "ffzoo/run/configurations/fast_cifar.toml")
    for part in (*data, "ffzoo_zoo/bp.py", "ffzoo_zoo/vanilla_ff.py"):
        assert part in names
    assert not any(n.startswith(("tests/", "docs/", "plugins/")) for n in names)
    # It works as installed: plugins are found from the wheel alone.
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True)
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r}); import ffzoo; print(ffzoo.__file__, ffzoo.list_algorithms())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert str(target) in done.stdout and "dtg_ff" in done.stdout
