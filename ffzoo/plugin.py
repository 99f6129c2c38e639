"""What an author of a rule, part, backbone, data set or experiment imports; nothing else is promised.

    from ffzoo.plugin import Card, Recipe, Term, algorithm, goodness

Importing this module imports no torch; what needs it comes with the first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.recipe import Recipe, Term
from ffzoo.errors import DataError, OptionError, RecipeError
from ffzoo.parts.options import (
    ClassPattern,
    Concat,
    ConcatLinear,
    GroupNorm,
    HybridImages,
    Logistic,
    NPairMargin,
    OutputLayer,
    Overlay,
    Probe,
    Projection,
    ProjectionHead,
    Sum,
    SupCon,
    SymmetricSoftplus,
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
    negatives,
    normalization,
    schedule,
)
from ffzoo.registry.hookspecs import Register, hookimpl
from ffzoo.registry.options import options, require

if TYPE_CHECKING:
    from ffzoo.algorithms.blockwise import BlockwiseAlgorithm, Learn, MicroBatch
    from ffzoo.algorithms.contract import Algorithm, Metrics
    from ffzoo.algorithms.feedback import FeedbackAlgorithm, pooled_width
    from ffzoo.algorithms.making import make_part
    from ffzoo.algorithms.options import FitOptions
    from ffzoo.algorithms.stepping import note
    from ffzoo.backbones.base import Backbone, as_written, full_precision
    from ffzoo.backbones.batchnorm import buffers_untouched
    from ffzoo.bench.grid import Arm, Condition, Grid
    from ffzoo.bench.report import Figure, Report, Table
    from ffzoo.bench.study import Study
    from ffzoo.data.batch import Batch, Samples
    from ffzoo.data.bundle import RawData
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
    from ffzoo.parts.projection import pool_grid

_LAZY = {
    "note": "ffzoo.algorithms.stepping",
    "pooled_width": "ffzoo.algorithms.feedback",
    "FeedbackAlgorithm": "ffzoo.algorithms.feedback",
    "MicroBatch": "ffzoo.algorithms.blockwise",
    "Learn": "ffzoo.algorithms.blockwise",
    "BlockwiseAlgorithm": "ffzoo.algorithms.blockwise",
    "Algorithm": "ffzoo.algorithms.contract",
    "Arm": "ffzoo.bench.grid",
    "Backbone": "ffzoo.backbones.base",
    "Batch": "ffzoo.data.batch",
    "Build": "ffzoo.parts.base",
    "Condition": "ffzoo.bench.grid",
    "Context": "ffzoo.parts.base",
    "Figure": "ffzoo.bench.report",
    "FitOptions": "ffzoo.algorithms.options",
    "Fusion": "ffzoo.parts.base",
    "FusionBuild": "ffzoo.parts.base",
    "Goodness": "ffzoo.parts.base",
    "Grid": "ffzoo.bench.grid",
    "LabelEmbedding": "ffzoo.parts.base",
    "LocalLoss": "ffzoo.parts.base",
    "Metrics": "ffzoo.algorithms.contract",
    "Negatives": "ffzoo.parts.base",
    "RawData": "ffzoo.data.bundle",
    "Report": "ffzoo.bench.report",
    "Samples": "ffzoo.data.batch",
    "Schedule": "ffzoo.parts.base",
    "Study": "ffzoo.bench.study",
    "Table": "ffzoo.bench.report",
    "View": "ffzoo.parts.base",
    "as_written": "ffzoo.backbones.base",
    "buffers_untouched": "ffzoo.backbones.batchnorm",
    "full_precision": "ffzoo.backbones.base",
    "make_part": "ffzoo.algorithms.making",
    "pool_grid": "ffzoo.parts.projection",
}

__all__ = [
    "Algorithm",
    "Arm",
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
    "FeedbackAlgorithm",
    "Figure",
    "FitOptions",
    "Fusion",
    "FusionBuild",
    "Goodness",
    "Grid",
    "GroupNorm",
    "HybridImages",
    "LabelEmbedding",
    "Learn",
    "LocalLoss",
    "Logistic",
    "Metrics",
    "MicroBatch",
    "NPairMargin",
    "Negatives",
    "OptionError",
    "OutputLayer",
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
    "Samples",
    "Schedule",
    "Study",
    "Sum",
    "SupCon",
    "SymmetricSoftplus",
    "Table",
    "Term",
    "View",
    "Windows",
    "algorithm",
    "as_written",
    "backbone",
    "buffers_untouched",
    "dataset",
    "experiment",
    "full_precision",
    "fusion",
    "goodness",
    "hookimpl",
    "label_embedding",
    "local_loss",
    "make_part",
    "negatives",
    "normalization",
    "note",
    "options",
    "pool_grid",
    "pooled_width",
    "require",
    "schedule",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ffzoo.plugin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
