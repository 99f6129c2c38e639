"""``ffzoo report RESULTS --out DIR``: what finished studies found, as one page.

RESULTS is a study's folder, or a folder of such folders. Nothing is computed: cells that are missing or wrong are
named and left out. DIR gets ``report.md`` and ``index.html``, one page each, and for each experiment its tables as CSV
and its figures as PNG and SVG. No torch in here.
"""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ffzoo.bench.report import Figure, Report, Table, side_by_side
from ffzoo.bench.study import CONFIG, Study
from ffzoo.errors import CheckpointError, FFZooError, OptionError
from ffzoo.files import replace_text
from ffzoo.registry.loader import ZOO

_VERDICTS = ("reproduced", "opposite", "inconclusive", "descriptive")

_STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; color: #212529; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 3rem; border-bottom: 1px solid #dee2e6; } h3 { margin-bottom: .3rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; margin: .5rem 0 1.5rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #e9ecef; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.words td { text-align: left; }
th { border-bottom: 2px solid #adb5bd; }
figure { margin: 1rem 0; } figure img { max-width: 100%; } figcaption, .notes { color: #495057; font-size: .85rem; }
.verdict { background: #f1f3f5; border-left: 4px solid #1864ab; padding: .5rem .9rem; margin: .5rem 0; }
.scroll { overflow-x: auto; }
"""


@dataclass(frozen=True)
class Section:
    """One study's report.

    Attributes:
        name: of its folder.
        experiment: what it is a study of.
        report: what was found.
    """

    name: str
    experiment: str
    report: Report


def collect(results: Path) -> tuple[list[Section], list[str]]:
    """Read every study in a folder, without computing anything.

    Args:
        results: a study's folder, or a folder of them.

    Returns:
        One section a study, and a line for each that could not be read.

    Raises:
        OptionError: there is no study.
    """
    found = [path.parent for path in results.glob(f"*/{CONFIG}")]
    folders = [results] if (results / CONFIG).exists() else sorted(found, key=_in_order)
    if not folders:
        raise OptionError(f"{str(results)!r} holds no study; expected a folder that ffzoo bench --out wrote")
    sections, failures = [], []
    for folder in folders:
        try:
            sections.append(_read(folder))
        except (FFZooError, OSError) as error:
            failures.append(f"{folder.name}: {error}")
        except (KeyError, TypeError, ValueError) as error:  # cells that are not what the experiment expects
            failures.append(f"{folder.name}: its cells are not of this version: {type(error).__name__} {error}")
    return sections, failures


def _in_order(folder: Path) -> list[tuple[int, str]]:
    """By name, with e2 before e10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", folder.name)]


def _read(folder: Path) -> Section:
    from ffzoo.registry import options

    try:
        stored = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        name, values = stored["experiment"], stored["options"] or {}
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{CONFIG} is not a study's: {type(error).__name__} {error}") from error
    entry = ZOO["experiments"].get(name)
    config_class = entry.load_config()
    config = None if config_class is None else options.replace(config_class(), values, "")
    return Section(folder.name, name, entry.load()(config, Study(name, config, folder, reads_only=True)))


def write(sections: Sequence[Section], failures: Sequence[str], out: Path) -> list[Path]:
    """Write the pages, tables and figures; returns the files.

    Args:
        sections: what was found.
        failures: studies that could not be read.
        out: folder, made if it is not there.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = []
    joined = _joined(sections)
    for title, figure in joined.items():
        files += figure.write(out / _slug(title))
    for section in sections:
        for number, table in enumerate(section.report.tables, 1):
            files.append(out / f"{section.name}-{number}.csv")
            replace_text(files[-1], _csv(table))
        for figure in section.report.figures:
            files += figure.write(out / section.name)
        for end, text in section.report.files.items():
            files.append(out / f"{section.name}{end}")
            replace_text(files[-1], text)
    lost = [f"Left out: {line}" for line in failures]
    heads = (("study", "question", "verdicts"), ("---",) * 3)
    head = "\n".join("| " + " | ".join(row) + " |" for row in (*heads, *_summary(sections)))
    pages = [f"# What was found\n\n{head}\n"] if len(sections) > 1 else []
    pages += [section.report.markdown(section.name) for section in sections]
    pages += [
        f"# {title}\n\n![{title}]({_slug(title)}-{figure.name}.png)\n\n{figure.caption}\n"
        for title, figure in joined.items()
    ]
    replace_text(out / "report.md", "\n".join([*pages, *lost]))
    replace_text(out / "index.html", _page(sections, joined, lost, out))
    return [out / "report.md", out / "index.html", *files]


def _summary(sections: Sequence[Section]) -> list[tuple[str, str, str]]:
    """Of each study its name, what it asks, and how many of its verdicts say what."""
    rows = []
    for section in sections:
        lines = section.report.verdicts  # a word, a colon and a sentence where a claim was judged
        words = Counter(word if (word := line.split(":")[0]) in _VERDICTS else line for line in lines)
        verdicts = ", ".join(word if count == 1 else f"{count} {word}" for word, count in words.items())
        rows.append((section.name, section.report.question, verdicts))
    return rows


def _joined(sections: Sequence[Section]) -> dict[str, Figure]:
    """Figures that are to be seen side by side, where the page has more than one of them."""
    found: dict[str, dict[str, Figure]] = {}
    for section in sections:
        if section.report.beside and section.report.figures:
            found.setdefault(section.report.beside, {})[section.name] = section.report.figures[0]
    return {title: side_by_side(figures) for title, figures in found.items() if len(figures) > 1}


def _slug(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.lower())


def _csv(table: Table) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.columns, *table.rows])
    return text.getvalue()


def _page(sections: Sequence[Section], joined: Mapping[str, Figure], lost: Sequence[str], out: Path) -> str:
    body = "".join(_section(section, out) for section in sections)
    for title, figure in joined.items():
        body += f"<h2>{html.escape(title)}</h2>{_picture(figure, out / _slug(title))}"
    body += "".join(f'<p class="notes">{html.escape(line)}</p>' for line in lost)
    lines = "".join(
        f'<tr><td><a href="#{html.escape(name)}">{html.escape(name)}</a></td>'
        f"<td>{html.escape(question)}</td><td>{html.escape(verdicts)}</td></tr>"
        for name, question, verdicts in _summary(sections)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>ffzoo: what was found</title><style>{_STYLE}</style></head>"
        f"<body><h1>What was found</h1><table class='words'>{lines}</table>{body}</body></html>\n"
    )


def _section(section: Section, out: Path) -> str:
    report, name = section.report, html.escape(section.name)
    heads = (("Question", report.question), ("Claim", report.claim), ("What it cannot say", report.limits))
    parts = [f'<h2 id="{name}">{name}</h2>']
    parts += [f"<p><b>{head}.</b> {html.escape(text)}</p>" for head, text in heads if text]
    parts += [f'<p class="verdict"><b>Verdict:</b> {html.escape(verdict)}</p>' for verdict in report.verdicts]
    parts += [_picture(figure, out / section.name) for figure in report.figures]
    for table in report.tables:
        rows = "".join(
            "<tr>" + "".join(f"<{cell}>{html.escape(value)}</{cell}>" for value in row) + "</tr>"
            for cell, row in [("th", table.columns), *(("td", row) for row in table.rows)]
        )
        parts.append(f'<h3>{html.escape(table.title)}</h3><div class="scroll"><table>{rows}</table></div>')
    parts += [f'<p class="notes">{html.escape(note)}</p>' for note in report.notes]
    return "\n".join(parts)


def _picture(figure: Figure, stem: Path) -> str:
    image = base64.b64encode(stem.with_name(f"{stem.name}-{figure.name}.png").read_bytes()).decode()
    caption = html.escape(figure.caption)
    source = f"data:image/png;base64,{image}"
    return f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'
