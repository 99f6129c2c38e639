"""Forward-forward direct labeling: the label goes straight into every block."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Karkehabadi, Homayoun and Sasan 2024, arXiv:2405.12443"


@hookimpl
def register_label_embeddings(register: Register) -> None:
    """Labels for every block."""
    register(
        "label_projections",
        "ffzoo_ffdl.labels:LabelProjections",
        config="ffzoo_ffdl.options:LabelProjections",
        summary="a learned vector a class is added to what every block reads",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Hinton's rule with such labels."""
    register(
        "ffdl",
        "ffzoo_ffdl.recipes:FFDL",
        summary="supervised FF whose blocks each get the label by a learned projection of their own",
        paper=PAPER,
        card="ffzoo_ffdl.card:FFDL",
        defaults={"backbone": "mlp", "fit.lr": 2e-3},
    )
