"""What an experiment hands back: data, tables, figures and verdicts; and its files. No torch in here.

``NAME.json`` has the data, ``NAME.md`` the tables and one line ``Verdict: ...`` for each verdict, and every figure
is there as PNG and as SVG.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffzoo.files import replace_file, replace_text
from ffzoo.run.style import STYLE

if TYPE_CHECKING:
    import matplotlib.figure


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        title: one line above it.
        columns: heads; the first column is aligned left, the others right.
        rows: as many cells each as there are columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return as a Markdown table."""
        lines = [self.columns, ("---", *["---:"] * (len(self.columns) - 1)), *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


@dataclass(frozen=True)
class Figure:
    """A figure, drawn when it is written.

    Attributes:
        name: ends the file's name.
        caption: one line below it.
        draw: draws on the matplotlib figure it is given.
        size: width and height in inches.
    """

    name: str
    caption: str
    draw: Callable[[matplotlib.figure.FigureBase], None]
    size: tuple[float, float] = (8.0, 5.0)

    def write(self, stem: Path) -> list[Path]:
        """Write ``STEM-NAME.png`` and ``STEM-NAME.svg``."""
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Canvas

        written = []
        with rc_context(STYLE):
            canvas = Canvas(figsize=self.size, layout="constrained")
            self.draw(canvas)
            for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
                path = stem.with_name(f"{stem.name}-{self.name}.{kind}")

                def save(file: Path, kind: str = kind, metadata: dict[str, None] = metadata) -> None:
                    canvas.savefig(file, format=kind, dpi=160, metadata=metadata)

                replace_file(path, save)
                written.append(path)
        return written


def side_by_side(figures: Mapping[str, Figure]) -> Figure:
    """Several figures as one, on equal vertical axes.

    Args:
        figures: title -> figure; at least one.
    """
    widths = [0.75 * figure.size[0] for figure in figures.values()]  # else text is small on a page

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        parts: Sequence[matplotlib.figure.SubFigure] = canvas.subfigures(
            1, len(figures), width_ratios=widths, squeeze=False
        )[0]
        for part, (title, figure) in zip(parts, figures.items(), strict=True):
            figure.draw(part)
            part.suptitle(title, fontsize=12, fontweight="bold")
        axes = [ax for part in parts for ax in part.axes]
        low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
        for ax in axes:
            ax.set_ylim(low, high)

    caption = " ".join(f"{title}: {figure.caption}" for title, figure in figures.items())
    return Figure("beside", caption, draw, (sum(widths), max(figure.size[1] for figure in figures.values()) + 0.4))


@dataclass(frozen=True)
class Report:
    """What an experiment found.

    Attributes:
        data: all of it, as JSON values.
        tables: for people.
        figures: drawn from the data.
        verdicts: one sentence each, without a line break.
        notes: what a reader has to know of how it was measured, and what was left out.
        question: what it asks.
        claim: what somebody claims the answer is, and who.
        limits: what it cannot say.
        beside: a title; reports that share one have their first figures drawn side by side on the page of all studies.
        files: further files by the end of their name, such as ``".bib"``.
    """

    data: dict[str, Any]
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    verdicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    question: str = ""
    claim: str = ""
    limits: str = ""
    beside: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def markdown(self, name: str) -> str:
        """Return tables, figures, notes and verdicts as one page."""
        parts = [f"# {name}"]
        said = (("Question", self.question), ("Claim", self.claim), ("What it cannot say", self.limits))
        parts += [f"**{head}.** {text}" for head, text in said if text]
        parts += [f"## {table.title}\n\n{table.markdown()}" for table in self.tables]
        parts += [f"![{figure.caption}]({name}-{figure.name}.png)\n\n{figure.caption}" for figure in self.figures]
        parts += ["\n".join(f"- {note}" for note in self.notes)] if self.notes else []
        parts += [f"Verdict: {verdict}" for verdict in self.verdicts]
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path, name: str) -> list[Path]:
        """Write the files, each under a temporary name and then moved into place.

        Args:
            folder: made if it is not there.
            name: of the experiment, and so of the files.

        Returns:
            The files.
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{name}.json", folder / f"{name}.md"]
        replace_text(files[0], json.dumps(self.data, indent=2, allow_nan=False) + "\n")
        replace_text(files[1], self.markdown(name))
        for end, text in self.files.items():
            files.append(folder / f"{name}{end}")
            replace_text(files[-1], text)
        for figure in self.figures:
            files += figure.write(folder / name)
        return files

    def show(self) -> None:
        """Print tables, notes and verdicts."""
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table as Printed

        from ffzoo.run.terminal import console

        out = console()
        for table in self.tables:
            printed = Printed(title=escape(table.title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
            for number, column in enumerate(table.columns):
                printed.add_column(escape(column), justify="right" if number else "left", no_wrap=not number)
            for row in table.rows:
                printed.add_row(*map(escape, row))
            out.print(printed)
        for note in self.notes:
            out.print(f"[dim]{escape(note)}[/dim]")
        for verdict in self.verdicts:
            out.print(f"[bold]Verdict:[/bold] {escape(verdict)}")
