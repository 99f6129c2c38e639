"""Every command of README and docs runs, in a process of its own, in a folder with the files that its page shows.

What would take long is made small: data sets are stand-ins of a few images, a training has one epoch and one seed, an
experiment ends where it would begin to work, and the kit runs two checks.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
QUICK = {"README.md", "write-your-own.md", "claims.md", "hooks.md", "zoo.md"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
COMMAND = re.compile(r"(?:\S*python -m ffzoo(?:\.\w+)?(?= |$)|ffzoo(?= \w))")
# What a reader fills in (NAME, KEY=VALUE, runs/x, ...), and what test_third_party.py runs.
SKIPPED = re.compile(r"(^|[ :=])([A-Z]+|\.\.\.|<\w+>|runs/x)($|[ =])|(eval|train) --algo cubic_ff$")
# In prose, a command that wants arguments is named by itself.
NAME = re.compile(r"python -m ffzoo(\.\w+)?|ffzoo (?!list|plugins)\w+")
IMAGES = {"fashion_mnist": (10, 28, 1), "mnist": (10, 28, 1), "cifar10": (10, 32, 3), "cifar100": (100, 32, 3)}

# One process imports torch and forks for each command, which saves seconds each time.
DRIVER = """
import json, os, runpy, sys
from importlib.metadata import entry_points

import ffzoo.run.runner
from ffzoo.registry.entries import Entry
from ffzoo.testing import kit

load = Entry.load


def begun(config, study):
    print("the experiment begins")
    sys.stdout.flush()
    os._exit(0)


Entry.load = lambda entry: begun if entry.kind == "experiments" else load(entry)
kit.ALGORITHM_CHECKS = [c for c in kit.ALGORITHM_CHECKS if c.__name__ in ("documented", "recipe_round_trip")]


def run(program, arguments):
    if program == "ffzoo":
        sys.argv = ["ffzoo", *arguments]
        (script,) = entry_points(group="console_scripts", name="ffzoo")
        sys.exit(script.load()())
    sys.path.insert(0, os.getcwd())  # as python -m does
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


ended = []
for number, (program, *arguments) in enumerate(json.load(sys.stdin)):
    child = os.fork()
    if child == 0:
        out = os.open(f"{number}.out", os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1), os.dup2(out, 2)
        status = 1
        try:
            run(program, arguments)
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ended))
"""


def commands(page: Path) -> list[tuple[list[str], str]]:
    """Program and arguments of each command of a page, and the line that follows it."""
    text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))  # a line may go on in the next
    lines = [(line, after) for _, block in BLOCK.findall(text) for line, after in pairs(block.splitlines())]
    spans = [" ".join(span.split()) for span in INLINE.findall(BLOCK.sub("", text))]
    lines += [(span, "") for span in spans if not NAME.fullmatch(span)]
    found = []
    for line, after in lines:
        for part in line.removeprefix("$ ").split(" && "):
            if COMMAND.match(part) and not SKIPPED.search(part):
                words = shlex.split(part)
                words = words if words[0] == "ffzoo" else words[2:]  # the program is a script, or a module
                found.append((words, after))
    return found


def pairs(lines: list[str]) -> list[tuple[str, str]]:
    return list(zip(lines, [*lines[1:], ""], strict=True))


def smaller(command: list[str]) -> list[str]:
    """One epoch, one seed and few digits, for a command that trains."""
    given = " ".join(command)
    if not given.startswith(("ffzoo train", "ffzoo.eval")) or re.search("--(list|resume|help)", given):
        return command
    smaller = [*command, "--epochs", "1", *(["--seeds", "0"] if "--seeds" in command else [])]
    if not re.search(r"--dataset|--config|data\.(train_size|classes|groups)", given):
        smaller += ["--set", "data.train_size=200"]
    if "data.validation" not in given:
        smaller += ["--set", "data.validation=0.2"]  # some of each class, of few images
    return smaller


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A stand-in for each data set that the pages name, of images without meaning."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for name, (classes, side, channels) in IMAGES.items():
        y = np.arange(max(100, 5 * classes)) % classes
        x = rng.integers(256, size=(len(y), side, side, channels), dtype=np.uint8)
        arrays = {"x_train": x, "y_train": y, "x_test": x[:classes], "y_test": y[:classes]}
        if name == "cifar100":
            arrays |= {"y_train_coarse": y // 5, "y_test_coarse": y[:classes] // 5}
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


@pytest.fixture
def folder(request, tmp_path) -> Path:
    """Where a reader of the page is: with the files that the page shows, and those it says one has."""
    page = request.getfixturevalue("page")
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        name = re.match(r"# (\w+\.(?:py|toml))\n", text)
        if name:
            (tmp_path / name[1]).write_text(text, encoding="utf-8")
        elif language == "python" and "np.savez(" in text:
            subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
    if page.name == "benchmarks.md":
        rule = next(t for _, t in BLOCK.findall((DOCS / "write-your-own.md").read_text("utf-8")) if "# cubes.py" in t)
        (tmp_path / "mine.py").write_text(rule.replace('"cubes"', '"mine"'), encoding="utf-8")
    shutil.copytree(DOCS / "results" / "digits", tmp_path / "results" / "stored")
    return tmp_path


def run_all(words: list[list[str]], folder: Path, data: Path) -> list[tuple[int, str]]:
    """Exit status and output of each command."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("FFZOO_")}
    env |= {"FFZOO_DATA": str(data), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", DRIVER],
        input=json.dumps(words),
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [
        (status, (folder / f"{number}.out").read_text(encoding="utf-8"))
        for number, status in enumerate(json.loads(done.stdout.splitlines()[-1]))
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the commands run in forks of one process")
@pytest.mark.parametrize(
    "page",
    [pytest.param(p, id=p.name, marks=() if p.name in QUICK else pytest.mark.slow) for p in PAGES if commands(p)],
)
def test_the_commands_of_a_page_run(page, folder, data):
    found = commands(page)
    for (command, after), (status, output) in zip(
        found, run_all([smaller(command) for command, _ in found], folder, data), strict=True
    ):
        if after.startswith("error: "):
            assert status == 2 and after in output.splitlines(), f"{command}: {output[-2000:]}"
        else:
            assert status == 0, f"{command} of {page.name} ended with {status}: {output[-2000:]}"


def test_the_pages_have_commands():
    found = {" ".join(command) for page in PAGES for command, _ in commands(page)}
    assert len(found) > 60
    assert any("--plugin cubic.py" in c for c in found) and any(
        c.startswith("ffzoo check --plugin cubes.py") for c in found
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "write-your-own.md"], ids=["README", "write-your-own"])
def test_the_rule_that_a_page_shows_passes_the_whole_kit(page, folder):
    checks = [command for command, _ in commands(page) if command[:2] == ["ffzoo", "check"] and "--plugin" in command]
    assert checks
    for command in checks:
        script = "import sys; from ffzoo.cli.main import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-P", "-c", script, *command[1:]], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0 and "passed" in done.stdout, done.stdout[-3000:] + done.stderr[-2000:]
