"""``ffzoo card NAME``: all that is known of an algorithm, on a terminal or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.sheet import Choice, Sheet, describe
from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.registry.cards import SOURCES, Published
from ffzoo.registry.options import to_json, to_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

ISOLATION = {
    "local": "the gradient stops at every block",
    "overlap": "the gradient stops at every second block, at other ones from step to step",
    "none": "the gradient passes through all blocks",
}
"""Each isolation in words."""

RECONSTRUCTION = "neither the paper's full text nor the authors' code was at hand"

_WIDTH = 100  # longer lines are hard to read


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "card", run, "print all that is known of an algorithm: paper, formula, parts, figures")
    p.add_argument("names", nargs="+", metavar="NAME", help="an algorithm; ffzoo list names them")
    p.add_argument("--json", action="store_true", help="print a list of JSON objects")
    add_common(p)


def run(args: argparse.Namespace) -> int:
    """Print the cards."""
    sheets = [describe(name) for name in args.names]
    if args.json:
        utf = (sys.stdout.encoding or "").lower().startswith("utf")
        print(json.dumps([to_json(sheet) for sheet in sheets], indent=2, ensure_ascii=not utf))
    else:
        _print(sheets)
    return 0


def _print(sheets: Sequence[Sheet]) -> None:
    from ffzoo.run.terminal import console, show

    out = console()
    out.width = min(out.width, _WIDTH)
    for i, sheet in enumerate(sheets):
        show(out, *([""] if i else []), *render(sheet, out))


def step_words(sheet: Sheet) -> str:
    """Return the forward passes of a training step: ``2 forward passes (positive, negative)``."""
    count = f"{len(sheet.views)} forward pass{'es' if len(sheet.views) > 1 else ''}"
    return "; and ".join([f"{count} ({', '.join(sheet.views)})", *sheet.extra])


def prediction_words(sheet: Sheet) -> str:
    """Return how a class is predicted: ``fusion sum; a pass for every candidate label``."""
    return f"fusion {sheet.fusion}" + ("; a pass for every candidate label" if sheet.label_sweep else "")


def isolation_words(sheet: Sheet) -> str:
    """Isolation, and what it means."""
    meaning = ISOLATION.get(sheet.isolation)
    return f"{sheet.isolation}: {meaning}" if meaning else sheet.isolation


def option_words(options: Any) -> str:
    """Return ``power=1 grid=1``, as they would stand after ``--set``."""
    return " ".join(f"{key}={to_text(value)}" for key, value in options.items())


def shown_choices(sheet: Sheet) -> list[Choice]:
    """Return the parts worth a line: those that do something, and options that are set away from their defaults."""
    return [c for c in sheet.choices if (c.key and c.name not in ("none", "simultaneous")) or c.changed]


def render(sheet: Sheet, out: Console) -> Iterable[RenderableType]:
    """Yield the card from top to bottom.

    Args:
        sheet: what is known.
        out: whose width counts.
    """
    from rich.rule import Rule
    from rich.text import Text

    head = Text(sheet.name, style="bold")
    head.append("".join(f", {alias}" for alias in sheet.aliases))
    yield head
    if sheet.summary:
        yield Text(sheet.summary)
    yield Rule(style="dim")
    yield _grid(_facts(sheet))
    if sheet.formula:
        yield from ("", Text("formula", style="bold"))
        yield Text(
            textwrap.fill(sheet.intro, out.width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False),
            style="dim",
        )
        yield _formula(sheet.formula, out.width)
    choices = shown_choices(sheet)
    if choices:
        rows: list[tuple[str, str | Text]] = [
            (c.key or "options", f"{c.name} {option_words(c.changed)}".strip()) for c in choices
        ]
        rows += [(key, to_text(value)) for key, value in sheet.settings.items()]
        yield from ("", Text("parts, and the options that are not their defaults", style="bold"), _grid(rows))
    card = sheet.card
    if card is not None and card.published:
        yield from ("", Text("published", style="bold"), _published(card.published))
    for title, lines in (("departures", card.departures), ("remarks", card.remarks)) if card is not None else ():
        if lines:
            yield from ("", Text(title, style="bold"), _bullets(lines, out.width))
    yield from ("", Text("run it", style="bold"), Text(f"  {sheet.command}"))


def _facts(sheet: Sheet) -> list[tuple[str, str | Text]]:
    from rich.text import Text

    card = sheet.card
    rows: list[tuple[str, str | Text]] = []
    if card is None:
        rows += [("paper", sheet.paper)] if sheet.paper else []
        rows += [("card", f"none: plugin {sheet.plugin!r} brings no card, so this is what its code tells")]
    else:
        rows += [("paper", f"{card.title}\n{card.authors} {card.year}, {card.url}")]
        rows += [("source", f"{card.source} ({SOURCES[card.source]})")]
        rows += [("", Text(f"a reconstruction: {RECONSTRUCTION}", style="bold"))] if card.reconstruction else []
    rows += [("isolation", isolation_words(sheet)), ("coupling", sheet.coupling)]
    rows += [("local", card.local)] if card is not None else []
    rows += [("a step", step_words(sheet)), ("prediction", prediction_words(sheet))]
    if card is not None and card.baseline:
        rows += [("role", "a baseline, there to be compared with")]
    if sheet.defaults:
        rows += [("defaults", option_words(sheet.defaults))]
    if sheet.module:
        rows += [("code", sheet.module)]
    return rows


def _grid(rows: Iterable[tuple[str, str | Text]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(Text(f"  {name}", style="dim"), text if isinstance(text, Text) else Text(text))
    return table


def _published(figures: Sequence[Published]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("  data set", no_wrap=True)
    table.add_column("test %", justify="right", no_wrap=True)
    table.add_column("network")
    table.add_column("read in", no_wrap=True)
    noted = any(figure.note for figure in figures)
    if noted:
        table.add_column("note")
    for f in figures:
        texts = [f"  {f.dataset}", f"{f.accuracy:g}", f.network, f.source] + ([f.note] if noted else [])
        table.add_row(*map(Text, texts))
    return table


def _bullets(lines: Iterable[str], width: int) -> RenderableType:
    from rich.text import Text

    wrapped = [
        textwrap.fill(line, width, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)
        for line in lines
    ]
    return Text("\n".join(wrapped))


def _formula(text: str, width: int) -> RenderableType:
    """Return the formula as it stands; a line that is too long goes on below, further in."""
    from rich.text import Text

    lines: list[str] = []
    for line in text.splitlines():
        margin = 2 + len(line) - len(line.lstrip())
        # What stands behind a gap is a comment, and stays in its column where that is wide enough.
        gap = line.strip().rfind("  ")
        column = margin + (gap + 2 if 0 <= gap <= width - margin - 22 else 4)
        lines += textwrap.wrap(
            line.strip(),
            width,
            initial_indent=" " * margin,
            subsequent_indent=" " * column,
            replace_whitespace=False,
            break_on_hyphens=False,
        ) or [""]
    return Text("\n".join(lines))
