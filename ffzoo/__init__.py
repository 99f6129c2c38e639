"""ffzoo: the zoo of Forward-Forward and layer-local learning.

For example::

    import ffzoo

    result = ffzoo.evaluate(algo="dtg_ff", dataset="digits")
    print(result.test_accuracy, result.strictly_local)

Importing this package imports neither torch nor a plugin; both come with the first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.recipe import Recipe, Term
from ffzoo.registry.hookspecs import hookimpl
from ffzoo.version import __version__

if TYPE_CHECKING:
    from ffzoo.algorithms.build import create
    from ffzoo.algorithms.contract import Algorithm
    from ffzoo.algorithms.options import Execution, FitOptions
    from ffzoo.backbones.partition import partition
    from ffzoo.bench.compared import compare
    from ffzoo.data.batch import Batch, Batches
    from ffzoo.parts.base import Fusion, Goodness, LabelEmbedding, LocalLoss, Negatives
    from ffzoo.registry.listing import list_algorithms, list_backbones, list_datasets
    from ffzoo.run.estimator import FFClassifier
    from ffzoo.run.evaluate import evaluate
    from ffzoo.run.fitting import fit
    from ffzoo.run.listed import list_runs
    from ffzoo.run.results import Evaluation
    from ffzoo.run.tested import test
    from ffzoo.run.trained import Trained, load

_LAZY = {
    "Algorithm": "ffzoo.algorithms.contract",
    "Batch": "ffzoo.data.batch",
    "Batches": "ffzoo.data.batch",
    "Evaluation": "ffzoo.run.results",
    "Execution": "ffzoo.algorithms.options",
    "FFClassifier": "ffzoo.run.estimator",
    "FitOptions": "ffzoo.algorithms.options",
    "Fusion": "ffzoo.parts.base",
    "Goodness": "ffzoo.parts.base",
    "LabelEmbedding": "ffzoo.parts.base",
    "LocalLoss": "ffzoo.parts.base",
    "Negatives": "ffzoo.parts.base",
    "Trained": "ffzoo.run.trained",
    "compare": "ffzoo.bench.compared",
    "create": "ffzoo.algorithms.build",
    "evaluate": "ffzoo.run.evaluate",
    "fit": "ffzoo.run.fitting",
    "list_algorithms": "ffzoo.registry.listing",
    "list_backbones": "ffzoo.registry.listing",
    "list_datasets": "ffzoo.registry.listing",
    "list_runs": "ffzoo.run.listed",
    "load": "ffzoo.run.trained",
    "partition": "ffzoo.backbones.partition",
    "test": "ffzoo.run.tested",
}

__all__ = [
    "Algorithm",
    "Batch",
    "Batches",
    "Evaluation",
    "Execution",
    "FFClassifier",
    "FitOptions",
    "Fusion",
    "Goodness",
    "LabelEmbedding",
    "LocalLoss",
    "Negatives",
    "Recipe",
    "Term",
    "Trained",
    "__version__",
    "compare",
    "create",
    "evaluate",
    "fit",
    "hookimpl",
    "list_algorithms",
    "list_backbones",
    "list_datasets",
    "list_runs",
    "load",
    "partition",
    "test",
    "use",
]


def use(plugin: object, name: str | None = None) -> Any:
    """Load a plugin for the length of a ``with`` block, without installing it; for notebooks and tests.

    Args:
        plugin: a module or object with hook implementations.
        name: what messages call it; the module's or class's own name by default.

    Raises:
        PluginError: the plugin is malformed or one of its names is taken.
    """
    from ffzoo.registry.loader import ZOO

    return ZOO.use(plugin, name)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ffzoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
