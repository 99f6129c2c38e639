"""Tables made from the registry and from option dataclasses at build time, so that they cannot go stale.

```{registry-table} algorithms
```
```{options-table} goodness projection
```
```{options-table} ffzoo.algorithms.options:FitOptions
```
```{zoo-names}
```
```{zoo-overview}
```
```{zoo-summaries}
```
```{zoo-board}
```
```{family-options}
```
```{family-cells}
```
"""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any, ClassVar

import zoo_pages
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ffzoo.registry import options
from ffzoo.registry.entries import KINDS
from ffzoo.registry.loader import SHIPPED, ZOO


def entries(kind: str) -> list[Any]:
    """What this distribution registers of a kind."""
    return [entry for entry in ZOO[kind] if entry.provenance.distribution == SHIPPED]


def table(header: list[str], rows: list[list[str]], literal: tuple[int, ...]) -> nodes.table:
    """A docutils table; the columns in ``literal`` are set as code."""
    widths = [max(len(row[c]) for row in [header, *rows]) for c in range(len(header))]
    group = nodes.tgroup(cols=len(header))
    group += [nodes.colspec(colwidth=max(1, width)) for width in widths]
    head, body = nodes.thead(), nodes.tbody()
    for part, lines in ((head, [header]), (body, rows)):
        for line in lines:
            row = nodes.row()
            for column, text in enumerate(line):
                cell = nodes.entry()
                paragraph = nodes.paragraph()
                if part is body and column in literal and text:
                    paragraph += nodes.literal(text, text)
                else:
                    paragraph += _inline(text)
                cell += paragraph
                row += cell
            part += row
        group += part
    made = nodes.table(classes=["colwidths-auto"])
    made += group
    return made


def _inline(text: str) -> list[nodes.Node]:
    """Text with double backquotes as literals."""
    parts = re.split(r"``(.+?)``", text)
    return [nodes.literal(part, part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts) if part]


def default_text(field: dataclasses.Field[Any]) -> str:
    """The default as it would be written after ``--set``."""
    if field.default is dataclasses.MISSING:
        return "" if field.default_factory is dataclasses.MISSING else str(field.default_factory())
    return options.to_text(field.default)


class RegistryTable(SphinxDirective):
    """Name, summary and source of everything of a kind."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        kind = self.arguments[0]
        if kind not in KINDS:
            raise self.error(f"no kind {kind!r}")
        found = entries(kind)
        papers = any(entry.paper for entry in found)
        suffix = ":" if kind.endswith("sources") else ""
        rows = [[entry.name + suffix, entry.summary] + ([entry.paper] if papers else []) for entry in found]
        return [table(["name", "what it is"] + (["source"] if papers else []), rows, literal=(0,))]


class OptionsTable(SphinxDirective):
    """Field, type, default and meaning of a config dataclass."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        if len(self.arguments) == 2:
            cls = ZOO[self.arguments[0]].get(self.arguments[1]).load_config()
        else:
            module, _, name = self.arguments[0].partition(":")
            cls = getattr(importlib.import_module(module), name)
        if cls is None:
            raise self.error(f"{' '.join(self.arguments)} has no options")
        texts, types = zoo_pages.attribute_texts(cls), options.field_types(cls)
        rows = []
        for field in dataclasses.fields(cls):
            if field.name not in texts:
                raise self.error(f"{cls.__name__}.{field.name} is not documented")
            rows.append([field.name, options.type_words(types[field.name]), default_text(field), texts[field.name]])
        return [table(["option", "type", "default", "meaning"], rows, literal=(0, 2))]


class Generated(SphinxDirective):
    """A table that ``zoo_pages`` makes, parsed as the Markdown it is."""

    option_spec: ClassVar[Any] = {"class": directives.class_option}
    makes: ClassVar[Any] = {
        "zoo-names": zoo_pages.names,
        "zoo-overview": zoo_pages.overview,
        "zoo-summaries": zoo_pages.summaries,
        "zoo-board": zoo_pages.board,
        "family-options": zoo_pages.family_options,
        "family-cells": zoo_pages.family_cells,
    }

    def run(self) -> list[nodes.Node]:
        made = self.parse_text_to_nodes(self.makes[self.name]())
        for node in made:
            node["classes"] += self.options.get("class", [])
        return made


def write_pages(app: Sphinx) -> None:
    """The zoo's pages, before Sphinx looks for its sources."""
    zoo_pages.write(Path(app.srcdir) / "zoo")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives, and have the zoo's pages written."""
    app.add_directive("registry-table", RegistryTable)
    app.add_directive("options-table", OptionsTable)
    for name in Generated.makes:
        app.add_directive(name, Generated)
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "version": "1"}
