"""Every hook of ffzoo, on one page.

A plugin is a module (or any object) that implements some of these with ``@ffzoo.hookimpl`` and is
named in the entry-point group ``ffzoo``. Each hook is called once, when plugins are loaded, with a
``register`` callback; nothing here runs during training, and nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pluggy import HookimplMarker, HookspecMarker

hookspec = HookspecMarker("ffzoo")
hookimpl = HookimplMarker("ffzoo")


class Register(Protocol):
    """The callback a hook receives.

    Args:
        name: lower-case name the thing is chosen by, e.g. ``"dtg_ff"``.
        target: what the name stands for, best as a lazy ``"module:attribute"``, so that listing
            plugins imports nothing heavy; the hook below says what it must be.
        aliases: further names for the same thing.
        summary: one line for ``--list``.
        paper: the source, e.g. ``"Hinton 2022, arXiv:2212.13345"``.
        config: a frozen dataclass (or its ``"module:attribute"``) in a torch-free module; its
            fields become the options of ``--set`` and of the docs.
        tags: further facts about the thing, such as ``defaults={"fit.lr": 0.01}`` of an algorithm.
    """

    def __call__(
        self,
        name: str,
        target: str | Callable[..., Any] | object,
        /,
        *,
        aliases: tuple[str, ...] = (),
        summary: str = "",
        paper: str = "",
        config: str | type | None = None,
        **tags: Any,
    ) -> None:
        """Register one name."""
        ...


@hookspec
def register_algorithms(register: Register) -> None:
    """Register what trains and predicts: an ``Algorithm`` class, a ``Recipe``, or a function ``config -> Recipe``."""


@hookspec
def register_goodness(register: Register) -> None:
    """Register features of a block -> score: a ``Goodness`` class, or a function ``h -> (B,)``."""


@hookspec
def register_local_losses(register: Register) -> None:
    """Register scores of a block's views -> scalar: a ``LocalLoss`` class."""


@hookspec
def register_fusions(register: Register) -> None:
    """Register per-block scores or features -> prediction ``(B, K)``: a ``Fusion`` class."""


@hookspec
def register_negatives(register: Register) -> None:
    """Register a generator of negative samples: a ``Negatives`` class."""


@hookspec
def register_label_embeddings(register: Register) -> None:
    """Register how a candidate label enters the input: a ``LabelEmbedding`` class."""


@hookspec
def register_normalizations(register: Register) -> None:
    """Register what happens to features between blocks or before a goodness: an ``nn.Module`` class."""


@hookspec
def register_schedules(register: Register) -> None:
    """Register which blocks train when: a ``Schedule`` class."""


@hookspec
def register_backbones(register: Register) -> None:
    """Register a network as an ordered list of blocks: ``(config, input_shape) -> Backbone``."""


@hookspec
def register_backbone_sources(register: Register) -> None:
    """Register a prefix such as ``timm:``; the target is ``(config, name, input_shape, num_classes) -> Backbone``."""


@hookspec
def register_datasets(register: Register) -> None:
    """Register a data set: ``(root, download) -> RawData``, or ``(config, root, download) -> RawData``."""


@hookspec
def register_dataset_sources(register: Register) -> None:
    """Register a prefix such as ``folder:``; the target takes the text after it -> ``(root, download) -> RawData``."""


@hookspec
def register_experiments(register: Register) -> None:
    """Register what ``ffzoo bench`` runs: ``(config, study) -> Report``."""


@hookspec
def register_observers(register: Register) -> None:
    """Register what watches a run: a class ``() -> Observer``, chosen by ``--observers``."""


@hookspec
def register_metrics(register: Register) -> None:
    """Register what is measured on the test set: a class ``(num_classes) -> Metric``, chosen by ``--metrics``."""
