"""``ffzoo new-plugin``: a distribution with one rule, one test, pyproject and README, to begin from."""

from __future__ import annotations

import argparse
import re
from importlib import resources
from pathlib import Path

from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.errors import OptionError
from ffzoo.files import replace_text
from ffzoo.registry.loader import ZOO

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILES = ("pyproject.toml", "README.md", "ffzoo_NAME.py", "tests/test_NAME.py")


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "new-plugin", run, "write a distribution of your own: one rule, one test")
    p.add_argument("name", metavar="NAME", help="of the rule, such as cubic_ff")
    p.add_argument("--out", metavar="DIR", default=".", help="where its folder ffzoo-NAME is made (default: here)")
    add_common(p)


def run(args: argparse.Namespace) -> int:
    """Carry out a parsed command line.

    Raises:
        OptionError: a name that no rule can have, or that is taken; a folder that is there already.
    """
    folder = write(args.name, Path(args.out))
    print(f"wrote {folder}: {', '.join(path.replace('NAME', args.name) for path in _FILES)}")
    print(f"next: pip install -e {folder} && ffzoo check {args.name}")
    return 0


def write(name: str, parent: Path) -> Path:
    """Write the distribution of a rule, and return its folder.

    Args:
        name: of the rule.
        parent: where the folder is made.

    Raises:
        OptionError: a name that no rule can have, or that is taken; a folder that is there already.
    """
    if not _NAME.fullmatch(name):
        raise OptionError(f"name is {name!r}; expected lower-case letters, digits and underscores, such as 'cubic_ff'")
    if name in ZOO["algorithms"]:
        raise OptionError(f"algorithm {name!r} is there already, of {ZOO['algorithms'].get(name).provenance}")
    folder = parent / f"ffzoo-{name.replace('_', '-')}"
    if folder.exists():
        raise OptionError(f"{str(folder)!r} is there already; expected a new folder")
    (folder / "tests").mkdir(parents=True)
    template = resources.files("ffzoo.cli") / "template"
    for path in _FILES:
        text = template.joinpath(path.rpartition("/")[2] + ".txt").read_text(encoding="utf-8")
        text = text.replace("DISTRIBUTION", folder.name).replace("NAME", name)
        replace_text(folder / path.replace("NAME", name), text)
    return folder
