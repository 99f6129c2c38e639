"""Pages and tables of the zoo, made from cards and code at build time, so that they cannot go stale.

Each shipped algorithm gets a page ``zoo/NAME``, written as Markdown into the folder ``zoo``, which git ignores, before
Sphinx looks for its sources. The tables are put
into other pages by the directives of ``registry_tables``. No Sphinx in here.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import own_results

from ffzoo.algorithms.sheet import Choice, Sheet, describe
from ffzoo.cli.card import (
    RECONSTRUCTION,
    isolation_words,
    option_words,
    prediction_words,
    shown_choices,
    step_words,
)
from ffzoo.errors import PluginError
from ffzoo.parts.options import Projection
from ffzoo.registry import options
from ffzoo.registry.cards import SOURCES, Published
from ffzoo.registry.choices import find
from ffzoo.registry.loader import SHIPPED, ZOO

HERE = Path(__file__).resolve().parent.parent
OWN = (
    "Mean test accuracy of the library's own runs, with its 95 % interval where there are several seeds. The last "
    "column leads to how they were made; rows of different budgets do not compare."
)
NOBODY = "[nobody yet]{.nobody}"
_SYMBOL = re.compile(r"[a-z](?=[,_+])|(?:alpha|beta|gamma|eta|lambda|mu|sigma|tau|theta)(?![a-z])")


def sheets() -> list[Sheet]:
    """What is known of every shipped algorithm."""
    return [describe(e.name) for e in ZOO["algorithms"] if e.provenance.distribution == SHIPPED]


def attribute_texts(cls: type) -> dict[str, str]:
    """Field -> its text in the Google docstring's ``Attributes:`` section, of the class or of a base, as a sentence.

    A symbol in front, such as the a of "a, factor of the distance", stays as it is written.
    """
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        section = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")[2].partition("\n\n")[0]
        name = ""
        for line in section.splitlines():
            field = re.match(r"    (\w+): (.*)", line)
            if field:
                name = field[1]
                found[name] = field[2]
            elif line.strip() and name:
                found[name] += " " + line.strip()
    return {name: text if _SYMBOL.match(text) else text[:1].upper() + text[1:] for name, text in found.items()}


# ---------------------------------------------------------------- Markdown


def md(text: str) -> str:
    """Plain text as Markdown; what stands between backquotes is code."""
    parts = re.split(r"(``.+?``|`.+?`)", text)
    return "".join(p if i % 2 else re.sub(r"([\\*_{}\[\]<>|$#~^])", r"\\\1", p) for i, p in enumerate(parts))


def code(text: str) -> str:
    """Text as code, fit for a table's cell."""
    return f"`{text}`".replace("|", r"\|") if text else ""


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the cells are Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fenced(language: str, text: str, *options: str) -> str:
    """A block of code, which may have a fence of its own in it."""
    return "\n".join([f"````{{code-block}} {language}", *options, "", text, "````"])


def facts(rows: list[tuple[str, str]]) -> str:
    """A table without a header."""
    lines = [line for name, text in rows for line in (f"* - {name}", f"  - {text}")]
    return "\n".join(["```{list-table}", ":class: facts", ":widths: auto", "", *lines, "```"])


def prose(text: str, here: str) -> str:
    """A sentence of a card: other algorithms become links to their pages beside this one, keys of ``--set`` code."""
    names = [e.name for e in ZOO["algorithms"] if e.provenance.distribution == SHIPPED and "_" in e.name]
    marked = re.compile(rf"(?P<code>`+[^`]+`+)|\b(?P<name>{'|'.join(names)})\b|(?P<key>\b[a-z_][\w.]*=[\w.]*\w)")
    made, end = "", 0
    for found in marked.finditer(text):
        name = found["name"]
        put = f"[`{name}`]({name}.md)" if name and name != here else code(found[0].strip("`"))
        made, end = made + md(text[end : found.start()]) + put, found.end()
    return made + md(text[end:])


# ---------------------------------------------------------------- a page an algorithm


def page(sheet: Sheet, all_sheets: list[Sheet]) -> str:
    """The page of an algorithm."""
    card = sheet.card
    assert card is not None  # describe() has seen to it
    parts = [f"# {sheet.name}", md(_sentence(sheet.summary))]
    if card.reconstruction:
        parts += [f":::{{admonition}} Reconstruction\n:class: warning\n\n{_sentence(RECONSTRUCTION)}\n:::"]
    parts += [facts(_facts(sheet, all_sheets)), f"```console\n$ {sheet.command}\n```"]
    if sheet.formula:
        parts += ["## Formula", md(sheet.intro).replace("``", "`"), fenced("text", sheet.formula, ":class: formula")]
    if found := own_results.of(sheet.name):
        parts += ["## Own results", OWN, _own(found)]
    if sheet.choices:
        parts += ["## Recipe" if len(sheet.choices) > 1 else "## Options", *_recipe(sheet)]
    if card.published:
        parts += ["## Published", _published(card.published, sheet.name)]
    for title, texts in (("Departures", card.departures), ("Remarks", card.remarks)):
        parts += [f"## {title}", "\n".join(f"- {prose(text, sheet.name)}" for text in texts)] if texts else []
    if sheet.module:
        parts += ["## Code", *_code(sheet.module)]
    return "\n\n".join(parts) + "\n"


def _own(found: list[own_results.Result]) -> str:
    rows = [
        [
            own_results.TITLES[result.dataset],
            str(result),
            str(len(result.accuracies)),
            "yes" if result.strictly_local else "no",
            f"[{md(result.regime)}](../{result.page})",
        ]
        for result in found
    ]
    return table(["data set", "test %", "runs", "strictly local", "how"], rows)


def _published(figures: tuple[Published, ...], here: str) -> str:
    noted = any(figure.note for figure in figures)
    rows = [[code(p.dataset), f"{p.accuracy:g}", md(p.network), p.source, prose(p.note, here)] for p in figures]
    header = ["data set", "test %", "network", "read in", "note"]
    return table(*([header, rows] if noted else [header[:-1], [row[:-1] for row in rows]]))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".") if text else ""


def _facts(sheet: Sheet, all_sheets: list[Sheet]) -> list[tuple[str, str]]:
    card = sheet.card
    assert card is not None
    rows = [
        ("Paper", f"[{md(card.title)}]({card.url}), {md(card.authors)} {card.year}"),
        ("Formula read in", SOURCES[card.source]),
        ("Isolation", md(isolation_words(sheet))),
        ("Coupling", md(sheet.coupling)),
        ("What is local", prose(card.local, sheet.name)),
        ("A training step", md(step_words(sheet))),
        ("Prediction", md(prediction_words(sheet))),
    ]
    if card.baseline:
        rows += [("Role", "a baseline, there to be compared with")]
    if sheet.aliases:
        rows += [("Also called", ", ".join(map(code, sheet.aliases)))]
    if sheet.defaults:
        rows += [("Brings as defaults", code(option_words(sheet.defaults)))]
    others = [other.name for other in all_sheets if other.plugin == sheet.plugin and other.name != sheet.name]
    if others:
        rows += [("Beside it", ", ".join(f"[`{name}`]({name}.md)" for name in others))]
    if sheet.name in noted():
        rows += [("Notes", f"[why `{sheet.name}` is set up as it is](../algorithms.md#{sheet.name})")]
    return rows


def noted() -> list[str]:
    """Algorithms with a section of their own in the hand-written page."""
    return re.findall(r"^## (\w+)$", (HERE / "algorithms.md").read_text(encoding="utf-8"), re.MULTILINE)


def _recipe(sheet: Sheet) -> list[str]:
    """Parts and their options, with what is set here."""
    shown = [c for c in shown_choices(sheet) if c.key]
    made = []
    if shown:
        rows = [[code(c.key), code(c.name), md(find(c.kind, c.name)[0].summary)] for c in shown]
        made += [table(["part", "here", "what it is"], rows)]
    if sheet.settings:
        made += ["Beside its parts, the recipe sets " + code(option_words(sheet.settings)) + "."]
    with_options = [c for c in sheet.choices if c.options]
    if with_options:
        if shown:
            made += ["Options, with what they are set to here; in bold what is not the part's default:"]
        rows = [row for choice in with_options for row in _options(choice)]
        made += [table(["option", "here", "type", "meaning"], rows)]
    return made


def _options(choice: Choice) -> list[list[str]]:
    config: Any = find(choice.kind, choice.name)[0].load_config()
    texts, types = attribute_texts(config), options.field_types(config)
    rows = []
    for name, value in choice.options.items():
        here = code(options.to_text(value))
        key = f"{choice.key}.{name}" if choice.key else name
        here = f"**{here}**" if name in choice.changed else here
        rows.append([code(key), here, md(options.type_words(types[name])), _cell(texts.get(name, ""))])
    return rows


def _cell(text: str) -> str:
    """A docstring's words in a cell: double backquotes are code, a bar is a bar."""
    return md(text).replace("``", "`")


def _code(module: str) -> list[str]:
    """Return the rule's file without its docstring, which is above, and the file of its torch code."""
    shown = []
    for name in (module, f"{module}_parts"):
        if importlib.util.find_spec(name) is None:
            continue
        source = inspect.getsource(importlib.import_module(name))
        first = ast.parse(source).body[0]
        is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        lines = source.splitlines()[first.end_lineno if is_text else 0 :]
        caption = f":caption: {name.replace('.', '/')}.py"
        shown.append(fenced("python", "\n".join(lines).strip(), ":class: formula", caption))
    return shown


def pages() -> dict[str, str]:
    """Return path below ``zoo/`` -> text, of every page."""
    all_sheets = sheets()
    made = {f"{sheet.name}.md": page(sheet, all_sheets) for sheet in all_sheets}
    return made


def write(folder: Path) -> None:
    """Write the pages that changed, and remove those of algorithms that are gone."""
    made = pages()
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


# ---------------------------------------------------------------- tables for other pages


def link(name: str) -> str:
    """An algorithm's name that leads to its page, from a page beside the folder ``zoo``."""
    return f"[`{name}`](zoo/{name}.md)"


def names() -> str:
    """All algorithms in a paragraph."""
    return ", ".join(link(sheet.name) for sheet in sheets())


def summaries() -> str:
    """A line an algorithm."""
    return table(["algorithm", "what it is"], [[link(sheet.name), md(sheet.summary)] for sheet in sheets()])


def overview() -> str:
    """All algorithms in two tables: rules, and the baselines beside them."""
    header = ["algorithm", "paper", "year", "isolation", "coupling", "passes", "source", "reconstruction"]
    tables = []
    for baseline in (False, True):
        rows = []
        for sheet in sheets():
            card = sheet.card
            if card is None or card.baseline != baseline:
                continue
            paper = f"[{md(card.authors)}]({card.url})"
            kind = [md(sheet.isolation), md(sheet.coupling), _passes(sheet)]
            how = [card.source, "yes" if card.reconstruction else "no"]
            rows.append([link(sheet.name), paper, str(card.year), *kind, *how])
        tables += [table(header, rows)] if rows else []
    return "\n\nBaselines, there to be compared with:\n\n".join(tables)


def _passes(sheet: Sheet) -> str:
    count = str(len(sheet.views)) + ("+" if sheet.extra else "")
    return f"{count}, K to predict" if sheet.label_sweep else count


def board() -> str:
    """Every algorithm under the leaderboard's budget, a column a data set; the page's script sorts and filters it."""
    boards = own_results.leaderboard()
    header = ["algorithm", *(own_results.TITLES[d] for d in boards), "strictly local", "coupling", "passes"]
    rows = []
    for sheet in sheets():
        found = {d: results[sheet.name] for d, results in boards.items() if sheet.name in results}
        if found:
            local = "yes" if all(result.strictly_local for result in found.values()) else "no"
            cells = [str(found[d]) if d in found else "" for d in boards]
            rows.append([link(sheet.name), *cells, local, md(sheet.coupling), _passes(sheet)])
    return table(header, rows)


def family() -> list[tuple[Sheet, dict[str, Any]]]:
    """The rules whose first goodness is the class goodness ``projection``, with its options.

    A goodness of a plugin's own belongs to them if it is a subclass or has the class attribute ``family``: a mapping
    that says which options of :class:`ffzoo.parts.options.Projection` its fixed choices amount to. Its options of the
    same names count too; a matrix that nothing names goes by the name of the part.

    Raises:
        PluginError: it does not say how it pools.
    """
    from ffzoo.parts.projection import Projection as Part

    fields = [f.name for f in dataclasses.fields(Projection)]
    found = []
    for sheet in sheets():
        first = next((c for c in sheet.choices if c.key == "goodness"), None)
        if first is None or (sheet.card and sheet.card.baseline):
            continue
        target = ZOO["goodness"].get(first.name).load()
        declared = getattr(target, "family", None)
        if declared is None and not (inspect.isclass(target) and issubclass(target, Part)):
            continue
        values = {"projection": first.name, **first.options, **(declared or {})}
        for name in ("power", "grid"):
            if name not in values:
                raise PluginError(
                    f"goodness {first.name!r} of algorithm {sheet.name!r} belongs to the family but has no {name}; "
                    "expected an option of that name, or the class attribute family = {'power': ..., 'grid': ...}"
                )
        found.append((sheet, {name: values[name] for name in fields if name in values}))
    return found


def family_options() -> str:
    """A row a rule, a column an option on which two rules differ."""
    members = family()
    fields = [f.name for f in dataclasses.fields(Projection)]
    varying = [f for f in fields if len({repr(values[f]) for _, values in members if f in values}) > 1]
    rows = []
    for sheet, values in members:
        norm = next(c.name for c in sheet.choices if c.key == "forward_norm")
        cells = [md(options.to_text(values[f])) if f in values else "" for f in varying]
        rows.append([link(sheet.name), *cells, md(sheet.fusion), md(norm)])
    return table(["rule", *(code(f) for f in varying), "fusion", "forward norm"], rows)


def family_cells() -> str:
    """Power and grid against the kind of projection, with the rules in the cells."""
    members = family()
    kinds = [*options.field_types(Projection)["projection"].__args__, *(v["projection"] for _, v in members)]
    columns = list(dict.fromkeys(kinds))
    cells: dict[tuple[int, bool, str], list[str]] = {}
    for sheet, values in members:
        cells.setdefault((values["power"], values["grid"] == 1, values["projection"]), []).append(link(sheet.name))
    rows = []
    for power, what in ((1, "h"), (2, "h²")):
        for whole, how in ((True, "averaged over the map"), (False, "on patches")):
            row = [", ".join(cells.get((power, whole, column), [NOBODY])) for column in columns]
            rows.append([f"{what} {how}", *row])
    return table(["", *map(md, columns)], rows)
