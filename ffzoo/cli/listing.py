"""``ffzoo list``: what there is to choose from. No torch in here."""

from __future__ import annotations

import argparse
import re

from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.registry.loader import ZOO

_WIDE = 110  # columns from which a list has room for the papers


def add(commands: Commands) -> None:
    """Add the command."""
    add_common(add_command(commands, "list", run, "list algorithms, backbones, data sets and configurations"))


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    print_list()
    return 0


def print_list() -> None:
    """Print algorithms, backbones, data sets and configurations, one line each."""
    from rich.table import Table
    from rich.text import Text

    from ffzoo.run.configuration import shipped
    from ffzoo.run.terminal import console, show

    out = console()
    sections: dict[str, list[tuple[str, str, str]]] = {}
    titles = {"backbone_sources": "backbones", "datasets": "data sets", "dataset_sources": "data sets"}
    for kind in ("algorithms", "backbones", *titles):
        rows = sections.setdefault(titles.get(kind, kind), [])
        for entry in ZOO[kind]:
            # Whose paper it is would wrap every summary where there is little room.
            whose = authors_and_year(entry.paper) if out.width >= _WIDE else ""
            rows.append((entry.name + (":" if kind.endswith("sources") else ""), entry.summary, whose))
    sections["configurations"] = [(name, summary, "") for name, summary in shipped().items()]
    longest = max(len(name) for rows in sections.values() for name, *_ in rows)
    for title, rows in sections.items():
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, *texts in rows:
            table.add_row(Text(f"  {name.ljust(longest)}", style="bold"), *map(Text, filter(None, texts)))
        show(out, "", Text(title.upper(), style="dim"), table)
    show(out, "", Text("ffzoo card NAME tells all that is known of an algorithm.", style="dim"))


def authors_and_year(paper: str) -> str:
    """Return ``"Chen 2026"`` of ``"Chen 2026, arXiv:2606.06539"``."""
    found = re.match(r"(.*?\b(?:19|20)\d\d)\b", paper)
    return found[1] if found else paper
