"""``ffzoo report RESULTS --out DIR``: what finished studies found, as one page.

RESULTS is a study's folder, or a folder of such folders. Nothing is computed: cells that are missing or wrong are
named and left out. DIR gets ``report.md`` and ``index.html``, one page each, and for each experiment its tables as CSV
and its figures as PNG and SVG. No torch in here.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from ffzoo.bench.report import Figure, Report, Table, Verdict, side_by_side
from ffzoo.bench.study import CONFIG, Study
from ffzoo.errors import CheckpointError, FFZooError, OptionError
from ffzoo.files import replace_text
from ffzoo.registry.loader import ZOO

_VERDICTS = ("reproduced", "opposite", "inconclusive", "descriptive")


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
    pages = []
    if len(sections) > 1:
        pages = ["# What was found\n"]
        judged = [
            (claim, regime, estimate, f"[{word}](#{name})") for name, claim, regime, estimate, word in _judged(sections)
        ]
        if judged:
            pages.append(_markdown(("claim", "regime", "estimate", "verdict"), judged))
        pages.append("# The studies\n\n" + _markdown(("study", "question", "verdicts"), _summary(sections)))
    pages += [section.report.markdown(section.name) for section in sections]
    pages += [
        f"# {title}\n\n![{title}]({_slug(title)}-{figure.name}.png)\n\n{figure.caption}\n"
        for title, figure in joined.items()
    ]
    replace_text(out / "report.md", "\n".join([*pages, *lost]))
    replace_text(out / "index.html", _page(sections, joined, lost, out))
    return [out / "report.md", out / "index.html", *files]


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows)) + "\n"


def _judged(sections: Sequence[Section]) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each claim that somebody makes: study, claim, regime, estimate, word."""
    return [
        (section.name, v.claim, v.regime, v.estimate, v.word)
        for section in sections
        for v in section.report.verdicts
        if isinstance(v, Verdict)
    ]


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
    """Return figures that are to be seen side by side, where the page has more than one of them."""
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
    # Everything a template is given is escaped: a name in a study may be anything.
    environment = jinja2.Environment(loader=jinja2.PackageLoader("ffzoo.bench", "."), autoescape=True)
    environment.filters["image"] = lambda figure, stem: _data_url(out / f"{stem}-{figure.name}.png")
    together = [(title, figure, _slug(title)) for title, figure in joined.items()]
    values = {
        "sections": sections,
        "judged": _judged(sections),
        "summary": _summary(sections),
        "together": together,
        "lost": lost,
    }
    return environment.get_template("page.html").render(values)


def _data_url(image: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.read_bytes()).decode()}"
