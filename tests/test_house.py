"""The house: floors that imports only go down, rules of at most two files, one import for authors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ffzoo.plugin

ROOT = Path(__file__).resolve().parent.parent
CORE, RULES = ROOT / "ffzoo", ROOT / "plugins" / "ffzoo_zoo"
# From the ground up; what stands on one floor may not import each other, except modules of one package.
FLOORS = [
    ("errors", "version"),
    ("files",),
    ("registry",),
    ("kernels",),
    ("backbones", "data"),
    ("parts",),
    ("algorithms",),
    ("training",),
    ("measure",),
    ("run",),
    ("bench", "testing"),
    ("cli",),
]
DOORS = {
    "",
    "plugin",
    "plots",
    "eval",
    "report",
    "plugins",
    "__main__",
    "bench.__main__",
}  # they only lead to what lies behind
pytestmark = pytest.mark.skipif(not RULES.exists(), reason="not a source checkout")


def modules() -> dict[str, Path]:
    """Module name below ``ffzoo`` -> file."""
    names = {".".join(p.relative_to(CORE).with_suffix("").parts): p for p in CORE.rglob("*.py")}
    return {name.removesuffix("__init__").rstrip("."): path for name, path in names.items()}


MODULES = modules()


def imports(path: Path, for_types: bool = True) -> Iterator[str]:
    """The modules of the core that a file imports, anywhere in it; without those for type checkers if asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if not for_types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            skipped |= {inner for statement in node.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in skipped and (node.module or "").split(".")[0] == "ffzoo":
            below = (node.module or "").removeprefix("ffzoo").lstrip(".")
            for alias in node.names:
                whole = f"{below}.{alias.name}".lstrip(".")
                yield whole if whole in MODULES else below
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("ffzoo.") for a in node.names if a.name.startswith("ffzoo."))


def floor_of(module: str) -> int:
    first = module.split(".")[0]
    return next(i for i, floor in enumerate(FLOORS) if first in floor)


def test_no_import_goes_up_and_none_crosses_a_floor():
    wrong = []
    for name, path in MODULES.items():
        if name in DOORS:
            continue
        for target in imports(path):
            same = target.split(".")[0] == name.split(".")[0]
            if target in DOORS or (not same and floor_of(target) >= floor_of(name)):
                wrong.append(f"ffzoo.{name} imports ffzoo.{target}")
    assert not wrong, "\n".join(wrong)


def test_modules_import_each_other_in_no_circle():
    graph = {name: set(imports(path, for_types=False)) - {name} for name, path in MODULES.items() if name not in DOORS}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_package_has_a_floor():
    assert {name.split(".")[0] for name in MODULES if name not in DOORS} == {p for floor in FLOORS for p in floor}


def test_the_page_of_concepts_shows_the_floors():
    text = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8").partition("## Where things lie")[2]
    picture = text.partition("```text\n")[2].partition("\n```")[0]
    shown = [tuple(re.split(r"\s{2,}", line)[:-1]) for line in picture.splitlines()]
    assert shown == FLOORS[::-1]


def test_a_rule_is_one_file_or_two_with_torch_code():
    names = {path.stem for path in RULES.glob("*.py")} - {"__init__"}
    assert len(names) == len(list(RULES.rglob("*.py"))) - 1, "rules lie flat"
    for name in names:
        if name.endswith("_parts"):
            assert name.removesuffix("_parts") in names, f"{name}.py belongs to no rule"
        else:
            text = (RULES / f"{name}.py").read_text(encoding="utf-8")
            assert not re.search(r"^(import|from) torch\b", text, re.M), f"{name}.py imports torch"
            assert len(re.findall(r"arxiv\.org|arXiv:", text)) <= text.count("Card("), f"{name}.py says a source twice"


@pytest.mark.parametrize("package", ["ffzoo_zoo", "ffzoo_experiments"])
def test_what_ships_imports_the_core_by_one_door(package):
    for path in (ROOT / "plugins" / package).rglob("*.py"):
        used = re.findall(r"^\s*(?:from|import) (ffzoo[\w.]*)", path.read_text(encoding="utf-8"), re.M)
        own = {name for name in used if name.split(".")[0] == package}
        allowed = {"ffzoo", "ffzoo.plugin"} | ({"ffzoo.bench"} if package == "ffzoo_experiments" else set())
        assert set(used) - own <= allowed, f"{path}: {sorted(set(used) - own)}"


def test_every_name_of_the_door_is_there():
    for name in ffzoo.plugin.__all__:
        assert getattr(ffzoo.plugin, name) is not None
    assert ffzoo.plugin.__all__ == sorted(ffzoo.plugin.__all__)
