"""What an author of a rule, part, backbone, data set or experiment imports; nothing else is promised.

For example::

    from ffzoo.plugin import Card, Recipe, Term, algorithm, goodness

Importing this module imports no torch; what needs it comes with the first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.recipe import Recipe, Term
from ffzoo.errors import DataError, OptionError, RecipeError
from ffzoo.parts.options import (
    AutoLabel,
    ClassPattern,
    Concat,
    ConcatLinear,
    GroupNorm,
    HybridImages,
    Logistic,
    NPairMargin,
    OutputOptions,
    Overlay,
    Probe,
    Projection,
    ProjectionHead,
    Sum,
    SupCon,
    SymmetricSoftplus,
    Waves,
    Windows,
)
from ffzoo.registry.cards import Card, Published
from ffzoo.registry.declare import (
    algorithm,
    backbone,
    dataset,
    experiment,
    fusion,
    goodness,
    label_embedding,
    local_loss,
    metric,
    negatives,
    normalization,
    observer,
    schedule,
)
from ffzoo.registry.hookspecs import Register, hookimpl
from ffzoo.registry.options import options, require

if TYPE_CHECKING:
    from ffzoo.algorithms.blockwise import BlockwiseAlgorithm
    from ffzoo.algorithms.contract import Algorithm, Metrics
    from ffzoo.algorithms.feedback import Feedback, OutputLayer, feedback_matrix, pooled_width
    from ffzoo.algorithms.making import make_part
    from ffzoo.algorithms.options import Execution, FitOptions
    from ffzoo.algorithms.step import Step
    from ffzoo.backbones.base import Backbone, add_gradient, as_written, full_precision
    from ffzoo.backbones.batchnorm import buffers_untouched
    from ffzoo.backbones.native import SequentialBackbone
    from ffzoo.bench.grid import Arm, Condition, Grid
    from ffzoo.bench.report import Figure, Report, Table, Verdict
    from ffzoo.bench.study import Study
    from ffzoo.data.augment import random_crop, random_flip
    from ffzoo.data.batch import Batch, Samples
    from ffzoo.data.bundle import RawData
    from ffzoo.kernels.kept import keep
    from ffzoo.measure.metrics import Metric
    from ffzoo.parts.base import (
        Build,
        Context,
        Fusion,
        FusionBuild,
        Goodness,
        LabelEmbedding,
        LocalLoss,
        Negatives,
        Schedule,
        View,
    )
    from ffzoo.parts.contrastive import supervised_contrast
    from ffzoo.parts.norms import Normalization
    from ffzoo.parts.projection import pool_grid
    from ffzoo.parts.projection_matrices import label_table, to_width
    from ffzoo.run.observers import Observer, Run

_LAZY = {
    "Algorithm": "ffzoo.algorithms.contract",
    "Arm": "ffzoo.bench.grid",
    "Backbone": "ffzoo.backbones.base",
    "Batch": "ffzoo.data.batch",
    "BlockwiseAlgorithm": "ffzoo.algorithms.blockwise",
    "Build": "ffzoo.parts.base",
    "Condition": "ffzoo.bench.grid",
    "Context": "ffzoo.parts.base",
    "Execution": "ffzoo.algorithms.options",
    "Feedback": "ffzoo.algorithms.feedback",
    "Figure": "ffzoo.bench.report",
    "FitOptions": "ffzoo.algorithms.options",
    "Fusion": "ffzoo.parts.base",
    "FusionBuild": "ffzoo.parts.base",
    "Goodness": "ffzoo.parts.base",
    "Grid": "ffzoo.bench.grid",
    "LabelEmbedding": "ffzoo.parts.base",
    "LocalLoss": "ffzoo.parts.base",
    "Metric": "ffzoo.measure.metrics",
    "Metrics": "ffzoo.algorithms.contract",
    "Negatives": "ffzoo.parts.base",
    "Normalization": "ffzoo.parts.norms",
    "Observer": "ffzoo.run.observers",
    "OutputLayer": "ffzoo.algorithms.feedback",
    "RawData": "ffzoo.data.bundle",
    "Report": "ffzoo.bench.report",
    "Run": "ffzoo.run.observers",
    "Samples": "ffzoo.data.batch",
    "Schedule": "ffzoo.parts.base",
    "SequentialBackbone": "ffzoo.backbones.native",
    "Step": "ffzoo.algorithms.step",
    "Study": "ffzoo.bench.study",
    "Table": "ffzoo.bench.report",
    "Verdict": "ffzoo.bench.report",
    "View": "ffzoo.parts.base",
    "add_gradient": "ffzoo.backbones.base",
    "as_written": "ffzoo.backbones.base",
    "buffers_untouched": "ffzoo.backbones.batchnorm",
    "feedback_matrix": "ffzoo.algorithms.feedback",
    "full_precision": "ffzoo.backbones.base",
    "keep": "ffzoo.kernels.kept",
    "label_table": "ffzoo.parts.projection_matrices",
    "make_part": "ffzoo.algorithms.making",
    "pool_grid": "ffzoo.parts.projection",
    "pooled_width": "ffzoo.algorithms.feedback",
    "random_crop": "ffzoo.data.augment",
    "random_flip": "ffzoo.data.augment",
    "supervised_contrast": "ffzoo.parts.contrastive",
    "to_width": "ffzoo.parts.projection_matrices",
}

__all__ = [
    "Algorithm",
    "Arm",
    "AutoLabel",
    "Backbone",
    "Batch",
    "BlockwiseAlgorithm",
    "Build",
    "Card",
    "ClassPattern",
    "Concat",
    "ConcatLinear",
    "Condition",
    "Context",
    "DataError",
    "Execution",
    "Feedback",
    "Figure",
    "FitOptions",
    "Fusion",
    "FusionBuild",
    "Goodness",
    "Grid",
    "GroupNorm",
    "HybridImages",
    "LabelEmbedding",
    "LocalLoss",
    "Logistic",
    "Metric",
    "Metrics",
    "NPairMargin",
    "Negatives",
    "Normalization",
    "Observer",
    "OptionError",
    "OutputLayer",
    "OutputOptions",
    "Overlay",
    "Probe",
    "Projection",
    "ProjectionHead",
    "Published",
    "RawData",
    "Recipe",
    "RecipeError",
    "Register",
    "Report",
    "Run",
    "Samples",
    "Schedule",
    "SequentialBackbone",
    "Step",
    "Study",
    "Sum",
    "SupCon",
    "SymmetricSoftplus",
    "Table",
    "Term",
    "Verdict",
    "View",
    "Waves",
    "Windows",
    "add_gradient",
    "algorithm",
    "as_written",
    "backbone",
    "buffers_untouched",
    "dataset",
    "experiment",
    "feedback_matrix",
    "full_precision",
    "fusion",
    "goodness",
    "hookimpl",
    "keep",
    "label_embedding",
    "label_table",
    "local_loss",
    "make_part",
    "metric",
    "negatives",
    "normalization",
    "observer",
    "options",
    "pool_grid",
    "pooled_width",
    "random_crop",
    "random_flip",
    "require",
    "schedule",
    "supervised_contrast",
    "to_width",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ffzoo.plugin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
