"""Experiments: studies that go on where they were stopped, grids with claims and verdicts, paired timing, reports.

Plugins say which experiments there are (``ffzoo.plugin.experiment``); ``ffzoo bench`` runs them. An experiment imports
what it compares, trains and measures with from here, and the rest from :mod:`ffzoo.plugin`. Importing this package
imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ffzoo.algorithms.build import algorithm_spec, backbone_config
    from ffzoo.algorithms.options import StepOptions
    from ffzoo.algorithms.sheet import card_of
    from ffzoo.bench.claims import Claim, Words
    from ffzoo.bench.compared import rate_factors
    from ffzoo.bench.comparison import compare, workers_of
    from ffzoo.bench.gap_tables import LINES, MARKERS, accuracy_table, gap_of, written
    from ffzoo.bench.grid import Arm, Condition, Found, Grid, planned, run_grid, train, trained_run
    from ffzoo.bench.options import Comparison
    from ffzoo.bench.report import Figure, Report, Table
    from ffzoo.bench.study import Study
    from ffzoo.bench.timing import Ratio, interleaved, ratio
    from ffzoo.data.bundle import DataBundle, Preprocess
    from ffzoo.errors import CheckpointError, DivergedError, FFZooError
    from ffzoo.kernels import winograd
    from ffzoo.measure.ceiling import Ceilings, copy_bandwidth, layer_calls
    from ffzoo.measure.locality import structural
    from ffzoo.measure.memory import step_cost
    from ffzoo.measure.probes import linear_probes
    from ffzoo.measure.statistics import Gap, factorial_effects, interval, paired_gap, trend
    from ffzoo.registry.listing import list_algorithms
    from ffzoo.registry.loader import ZOO
    from ffzoo.registry.options import field_types, replace, to_json
    from ffzoo.run import configuration, environment
    from ffzoo.run.folder import RunFolder
    from ffzoo.run.runner import read_data, run_all
    from ffzoo.run.spec import RunConfig, make_run, parse_settings
    from ffzoo.run.style import COLORS
    from ffzoo.run.trained import build_algorithm
    from ffzoo.training.fit import Part

_LAZY = {
    "Arm": "ffzoo.bench.grid",
    "COLORS": "ffzoo.run.style",
    "Ceilings": "ffzoo.measure.ceiling",
    "CheckpointError": "ffzoo.errors",
    "Claim": "ffzoo.bench.claims",
    "Comparison": "ffzoo.bench.options",
    "Condition": "ffzoo.bench.grid",
    "DataBundle": "ffzoo.data.bundle",
    "DivergedError": "ffzoo.errors",
    "FFZooError": "ffzoo.errors",
    "Figure": "ffzoo.bench.report",
    "Found": "ffzoo.bench.grid",
    "Gap": "ffzoo.measure.statistics",
    "Grid": "ffzoo.bench.grid",
    "LINES": "ffzoo.bench.gap_tables",
    "MARKERS": "ffzoo.bench.gap_tables",
    "Part": "ffzoo.training.fit",
    "Preprocess": "ffzoo.data.bundle",
    "Ratio": "ffzoo.bench.timing",
    "Report": "ffzoo.bench.report",
    "RunConfig": "ffzoo.run.spec",
    "RunFolder": "ffzoo.run.folder",
    "StepOptions": "ffzoo.algorithms.options",
    "Study": "ffzoo.bench.study",
    "Table": "ffzoo.bench.report",
    "Words": "ffzoo.bench.claims",
    "ZOO": "ffzoo.registry.loader",
    "accuracy_table": "ffzoo.bench.gap_tables",
    "algorithm_spec": "ffzoo.algorithms.build",
    "backbone_config": "ffzoo.algorithms.build",
    "build_algorithm": "ffzoo.run.trained",
    "card_of": "ffzoo.algorithms.sheet",
    "compare": "ffzoo.bench.comparison",
    "configuration": "ffzoo.run",
    "copy_bandwidth": "ffzoo.measure.ceiling",
    "environment": "ffzoo.run",
    "factorial_effects": "ffzoo.measure.statistics",
    "field_types": "ffzoo.registry.options",
    "gap_of": "ffzoo.bench.gap_tables",
    "interleaved": "ffzoo.bench.timing",
    "interval": "ffzoo.measure.statistics",
    "layer_calls": "ffzoo.measure.ceiling",
    "linear_probes": "ffzoo.measure.probes",
    "list_algorithms": "ffzoo.registry.listing",
    "make_run": "ffzoo.run.spec",
    "paired_gap": "ffzoo.measure.statistics",
    "parse_settings": "ffzoo.run.spec",
    "planned": "ffzoo.bench.grid",
    "rate_factors": "ffzoo.bench.compared",
    "ratio": "ffzoo.bench.timing",
    "read_data": "ffzoo.run.runner",
    "replace": "ffzoo.registry.options",
    "run_all": "ffzoo.run.runner",
    "run_grid": "ffzoo.bench.grid",
    "step_cost": "ffzoo.measure.memory",
    "structural": "ffzoo.measure.locality",
    "to_json": "ffzoo.registry.options",
    "train": "ffzoo.bench.grid",
    "trained_run": "ffzoo.bench.grid",
    "trend": "ffzoo.measure.statistics",
    "winograd": "ffzoo.kernels",
    "workers_of": "ffzoo.bench.comparison",
    "written": "ffzoo.bench.gap_tables",
}

__all__ = [
    "COLORS",
    "LINES",
    "MARKERS",
    "ZOO",
    "Arm",
    "Ceilings",
    "CheckpointError",
    "Claim",
    "Comparison",
    "Condition",
    "DataBundle",
    "DivergedError",
    "FFZooError",
    "Figure",
    "Found",
    "Gap",
    "Grid",
    "Part",
    "Preprocess",
    "Ratio",
    "Report",
    "RunConfig",
    "RunFolder",
    "StepOptions",
    "Study",
    "Table",
    "Words",
    "accuracy_table",
    "algorithm_spec",
    "backbone_config",
    "build_algorithm",
    "card_of",
    "compare",
    "configuration",
    "copy_bandwidth",
    "environment",
    "factorial_effects",
    "field_types",
    "gap_of",
    "interleaved",
    "interval",
    "layer_calls",
    "linear_probes",
    "list_algorithms",
    "make_run",
    "paired_gap",
    "parse_settings",
    "planned",
    "rate_factors",
    "ratio",
    "read_data",
    "replace",
    "run_all",
    "run_grid",
    "step_cost",
    "structural",
    "to_json",
    "train",
    "trained_run",
    "trend",
    "winograd",
    "workers_of",
    "written",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'ffzoo.bench' has no attribute {name!r}")
    module = _LAZY[name]
    found = getattr(importlib.import_module(module), name, None)
    return found if found is not None else importlib.import_module(f"{module}.{name}")
