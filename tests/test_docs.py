"""The documentation keeps up with the code: hooks, algorithms, modules, options and command lines."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import importlib.util
import inspect
import json
import re
import shlex
import statistics
import subprocess
import sys
import types
from pathlib import Path

import pytest

import ffzoo
import ffzoo.bench
import ffzoo.plots
import ffzoo.plugin
import ffzoo.testing
from ffzoo.cli import train
from ffzoo.cli.main import parser
from ffzoo.errors import FFZooError
from ffzoo.measure.statistics import paired_gap
from ffzoo.registry import hookspecs
from ffzoo.registry.loader import ZOO

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CUBIC = DOCS / "examples" / "ffzoo-cubic"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", CUBIC / "README.md"]
HOOKS = [name for name in dir(hookspecs) if name.startswith("register_")]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:python -m ffzoo\.eval|\bffzoo train)(?=[ `\n])([^`\n]*)")
# What a reader fills in: NAME, DIR, KEY=VALUE, ...
PLACEHOLDER = re.compile(r"(^|[ :=])([A-Z]{1,}|\.\.\.|<\w+>)($|[ =])")


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


# ---------------------------------------------------------------- hooks


def signature(function: object) -> str:
    # Annotations are texts there; inspect prints them in quotes.
    return f"{function.__name__}{inspect.signature(function)}".replace("'", "")


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_signature(name):
    text = (DOCS / "hooks.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/hooks.md has no section {name}"
    line = "def " + signature(getattr(hookspecs, name))
    assert line in section[1].splitlines(), f"docs/hooks.md does not give the signature of {name}: {line}"


def test_no_hook_is_documented_that_does_not_exist():
    text = (DOCS / "hooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", text, re.MULTILINE) == sorted(HOOKS, key=HOOK_ORDER.index)


HOOK_ORDER = re.findall(r"^def (register_\w+)", inspect.getsource(hookspecs), re.MULTILINE)


def test_every_argument_of_register_is_documented():
    text = (DOCS / "hooks.md").read_text(encoding="utf-8")
    parameters = [p for p in inspect.signature(hookspecs.Register.__call__).parameters.values() if p.name != "self"]
    for p in parameters:
        assert f"| `{p.name}` |" in text, f"docs/hooks.md does not explain the argument {p.name} of register"
    plain = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])
    assert f"register{plain}".replace("'", '"') in text


@pytest.mark.parametrize("name", HOOKS)
def test_the_example_of_a_hook_registers_something(name, monkeypatch):
    examples = [text for text in blocks(DOCS / "hooks.md", "python") if f"def {name}(" in text]
    assert examples, f"docs/hooks.md has no example of {name}"
    for text in examples:
        module = types.ModuleType("example_of_the_docs")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, "docs/hooks.md", "exec"), module.__dict__)
        with ffzoo.use(module):
            entries = ZOO.entries(module.__name__)
            assert [f"register_{entry.kind}" for entry in entries] == [name]
            assert all(entry.summary and entry.load() is not None for entry in entries)


# ---------------------------------------------------------------- algorithms, modules, names


def test_notes_are_on_algorithms_that_ship():
    text = (DOCS / "algorithms.md").read_text(encoding="utf-8")
    shipped = [entry.name for entry in ZOO["algorithms"] if entry.provenance.distribution == "ffzoo"]
    noted = text.partition("## Parts")[0]
    assert not set(re.findall(r"^## (\w+)$", noted, re.MULTILINE)) - set(shipped)


def test_the_reference_names_modules_that_exist_and_each_once():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    documented = re.findall(r"^\.\. automodule:: (\S+)$", text, re.MULTILINE)
    assert len(documented) == len(set(documented))
    for name in documented:
        assert importlib.util.find_spec(name) is not None, f"docs/api/ names {name}, which does not exist"


DOORS = {"ffzoo": ffzoo, "plots": ffzoo.plots, "plugin": ffzoo.plugin, "bench": ffzoo.bench, "testing": ffzoo.testing}


@pytest.mark.parametrize("page", DOORS)
def test_every_promised_name_is_in_the_reference_and_says_what_it_is(page):
    text = (DOCS / "api" / f"{page}.md").read_text(encoding="utf-8")
    for name in DOORS[page].__all__:
        if name.startswith("__"):
            continue
        found = getattr(DOORS[page], name)
        where = re.search(rf"`{name}[` ]|^\.\. auto\w+:: ffzoo\.[\w.]*\b{name}$|`~ffzoo\.[\w.]*\b{name}`", text, re.M)
        assert where, f"docs/api/{page}.md does not name {name}"
        if inspect.isclass(found) or inspect.isfunction(found):
            made = f"{name}(" if dataclasses.is_dataclass(found) else None  # the text of a dataclass without one
            assert found.__doc__ and not (made and found.__doc__.startswith(made)), f"{name} has no docstring"


def test_what_the_reference_documents_is_promised_or_returned_by_what_is():
    """A directive on a page of the reference is of a name that its door has, unless its section says otherwise."""
    for page, door in DOORS.items():
        text = (DOCS / "api" / f"{page}.md").read_text(encoding="utf-8").partition("## What these return")[0]
        for name in re.findall(r"^\.\. auto(?:class|function):: ffzoo\.[\w.]*\b(\w+)$", text, re.M):
            assert name in door.__all__, f"docs/api/{page}.md documents {name}, which {door.__name__} does not promise"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_snippet_imports_only_what_is_promised(page):
    for text in blocks(page, "python"):
        for module in re.findall(r"^\s*(?:from|import) (ffzoo(?:\.[\w.]+)?)", text, re.M):
            assert module.partition(".")[2] in ("", "plots", "plugin", "bench", "testing", "errors"), (
                f"{page.name}: {module}"
            )


def test_every_field_of_a_result_is_explained():
    from ffzoo.run.results import RunResult

    text = (DOCS / "run-folder.md").read_text(encoding="utf-8")
    for field in RunResult.__dataclass_fields__:
        assert f"`{field}`" in text or field == "folder", f"docs/run-folder.md does not explain {field}"


# ---------------------------------------------------------------- command lines


def command_lines() -> list[tuple[Path, str, str]]:
    """Page, arguments, and the line that follows."""
    found = [(Path("ffzoo/cli/train.py"), m[1], "") for m in COMMAND.finditer(train.EPILOG)]
    for page in PAGES:
        text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))  # a line may go on in the next
        for match in COMMAND.finditer(text):
            following = text[match.end() :].lstrip("`").removeprefix("\n").partition("\n")[0]
            found.append((page, match[1], following))
    return [
        (page, arguments.strip(), line)
        for page, arguments, line in found
        if not PLACEHOLDER.search(arguments) and arguments != " --help"
    ]


LINES = command_lines()


@contextlib.contextmanager
def files_of(page: Path, folder: Path):
    """The files that a page shows, each named in its first line, as a reader would have made them."""
    for language in ("python", "toml"):
        for text in blocks(page, language) if page.suffix == ".md" else ():
            name = re.match(r"# (\w+\.(?:py|toml))\n", text)
            if name:
                (folder / name[1]).write_text(text, encoding="utf-8")
    yield


@contextlib.contextmanager
def plugins_of(page: Path, args, monkeypatch):
    """``--plugin`` files, or the example distribution where a page is about it."""
    names = [Path(path).stem for path in args.plugin]
    if not args.plugin and page in (DOCS / "write-your-own.md", CUBIC / "README.md"):
        monkeypatch.syspath_prepend(CUBIC)
        with ffzoo.use(importlib.import_module("ffzoo_cubic")):
            yield
        return
    monkeypatch.setattr(sys, "path", [*sys.path])  # the folder of a plugin file joins it
    try:
        for path in args.plugin:
            ZOO.load_file(path)
        yield
    finally:
        for name in names:
            plugin = sys.modules.pop(name, None)
            if plugin is not None:
                ZOO.unregister(plugin, name)


def test_the_docs_have_command_lines():
    assert len(LINES) > 25
    assert {page.name for page, *_ in LINES} >= {"quickstart.md", "algorithms.md", "data.md", "README.md", "train.py"}


@pytest.mark.parametrize(("page", "arguments", "following"), LINES, ids=[f"{p.name}:{a}" for p, a, _ in LINES])
def test_every_command_line_can_be_run(page, arguments, following, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = parser().parse_args(["train", *shlex.split(arguments)])
    with files_of(page, tmp_path), plugins_of(page, args, monkeypatch):
        if args.list or args.resume:
            return

        if following.startswith("error: "):
            with pytest.raises(FFZooError) as caught:
                train.spec(args).runs()
            assert f"error: {caught.value}" == following
        else:
            assert train.spec(args).runs()


# ---------------------------------------------------------------- what takes longer


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "quickstart", "concepts", "data", "after-training", "write-your-own"])
def test_the_snippets_of_a_page_run(name, tmp_path):
    page = DOCS / f"{name}.md"
    code = []
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            code.append(f"exec(compile({text!r}, {name!r}, 'exec'), {{'__name__': 'snippet'}})")
        elif language == "console":
            lines = [line for line in text.splitlines() if "--out " in line and COMMAND.search(line)]
            code += [f"assert main({shlex.split(COMMAND.search(line)[1])!r}) == 0" for line in lines]
    assert code
    script = tmp_path / "snippets.py"
    script.write_text("\n".join(["from ffzoo.eval import main", *code]), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    build = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*build, str(DOCS), str(tmp_path / "html")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    for page in ("algorithms", "zoo"):
        assert "cubic" not in (tmp_path / "html" / f"{page}.html").read_text(encoding="utf-8")
    assert (tmp_path / "html" / "zoo" / "dtg_ff.html").exists()
    loaded = re.compile(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(?:https?:)?//[^\"]*")
    for html in (tmp_path / "html").rglob("*.html"):
        assert not loaded.search(html.read_text(encoding="utf-8")), f"{html.name} loads something from the network"


def test_figures_of_the_readme_are_those_of_the_report():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Beside backprop")[1].split("\n## What")[0]
    figures = re.findall(r"[-+]?\d+\.\d+ \[[^\]]+\]", section)
    report = (DOCS / "results" / "claims" / "report.md").read_text(encoding="utf-8")
    assert len(figures) >= 12 and not [figure for figure in figures if figure not in report]


def test_the_first_table_of_the_readme_is_cifar10_at_strength_as_its_cells_have_it():
    """Rows of the table are those of the study, with what was measured of locality."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("test %, mean ± sd") :].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)`(, weights growing)?.* \| ([\d.]+ ± [\d.]+) \|.*\| (yes|no) \|$", table, re.M)
    with (DOCS / "results" / "claims" / "e1_strong-1.csv").open(encoding="utf-8", newline="") as file:
        found = {(row[1], row[2], row[6]) for row in csv.reader(file) if row[0] == "cifar10"}
    assert {(name + (" growing" if growing else ""), mean, local) for name, growing, mean, local in rows} == found
    cells = [json.loads(line) for line in (DOCS / "results" / "claims" / "e1_strong" / "cells.jsonl").open()]
    assert sum(cell["key"].startswith("cifar10, ") for cell in cells) == 15


def test_the_example_of_the_front_runs_and_is_the_same_in_both_places():
    (readme, index) = (blocks(page, "python")[0] for page in (ROOT / "README.md", DOCS / "index.md"))
    assert readme == index
    names: dict[str, object] = {}
    exec(compile(readme, "README.md", "exec"), names)
    assert names["model"].score(names["x"][1500:], names["y"][1500:]) > 0.9


def test_figures_of_dtg_ff_at_strength_are_those_of_its_runs():
    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    section = page.split("### DTG-FF at its published strength")[1].split("\n### ")[0]
    rows = dict(re.findall(r"^\| `(\w+)`, `\w+` \| (.*) \|$", section, re.M))
    assert rows.keys() == {"dtg_ff", "dtg_ff_global"}
    accuracies = {}
    for name, row in rows.items():
        runs = [
            json.loads(path.read_text()) for path in sorted((DOCS / "results" / "dtg_cifar").glob(f"{name}-?.json"))
        ]
        assert [(run["algo"], run["seed"], run["test_reads"]) for run in runs] == [(name, seed, 1) for seed in range(3)]
        found = accuracies[name] = [100 * run["test_accuracy"] for run in runs]
        blocks = map(statistics.fmean, zip(*(run["per_block_accuracy"] for run in runs), strict=True))
        assert row.startswith(
            f"{statistics.fmean(found):.2f} ± {statistics.stdev(found):.2f} | "
            f"{', '.join(f'{x:.2f}' for x in found)} | {', '.join(f'{100 * x:.1f}' for x in blocks)} | "
            f"{runs[0]['train_flops'] / 1e15:.3f} | {runs[0]['saved_activation_bytes'] / 2**20:.0f} | "
            f"{'yes' if all(run['strictly_local'] for run in runs) else 'no'}"
        ), name
    assert f"{paired_gap(accuracies['dtg_ff_global'], accuracies['dtg_ff'])} points" in section
