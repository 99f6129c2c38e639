"""``ffzoo plugins``: plugins, what they registered, what was skipped and why."""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.registry.loader import ZOO, PluginWarning


def listing() -> dict[str, Any]:
    """Return loaded and skipped plugins as JSON values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the listing says it itself
        ZOO.load()
    loaded = []
    for name, provenance in ZOO.plugins.items():
        registered: dict[str, list[str]] = {}
        for entry in ZOO.entries(name):
            registered.setdefault(entry.kind, []).append(entry.name)
        loaded.append(
            {
                "plugin": name,
                "distribution": provenance.distribution,
                "version": provenance.version,
                "registered": registered,
            }
        )
    skipped = [
        {"plugin": s.provenance.plugin, "distribution": s.provenance.distribution, "reason": s.reason}
        for s in ZOO.skipped
    ]
    return {"plugins": loaded, "skipped": skipped}


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "plugins", run, "list plugins, what they registered, what was skipped and why")
    p.add_argument("--json", action="store_true", help="print JSON")
    add_common(p)


def run(args: argparse.Namespace) -> int:
    """Print the plugins.

    Raises:
        PluginError: one cannot be loaded, and ``FFZOO_STRICT_PLUGINS`` is 1.
    """
    found = listing()
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    from rich.table import Table

    from ffzoo.run.terminal import console

    out = console()
    for plugin in found["plugins"]:
        out.print(f"[bold]{plugin['plugin']}[/bold]  {plugin['distribution']} {plugin['version']}")
        table = Table.grid(padding=(0, 2))
        for kind, names in plugin["registered"].items():
            table.add_row(f"  {kind}", ", ".join(names))
        out.print(table)
    for skip in found["skipped"]:
        out.print(f"[bold]{skip['plugin']}[/bold]  {skip['distribution']}  skipped: {skip['reason']}")
    return 0
