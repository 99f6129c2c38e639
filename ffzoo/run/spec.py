"""What will be run, fully resolved before torch is imported."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffzoo.algorithms.build import AlgorithmSpec, algorithm_spec, backbone_config, backbone_entry
from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.algorithms.recipe import Recipe
from ffzoo.data.options import DataOptions, default_root
from ffzoo.errors import CheckpointError, OptionError, nearest
from ffzoo.registry import options
from ffzoo.registry.entries import Entry
from ffzoo.registry.loader import ZOO

SECTIONS = ("fit", "backbone", "data")
"""Prefixes of keys that are not the algorithm's."""


@dataclass(frozen=True)
class RunConfig:
    """One training run: an algorithm on a data set with a seed.

    Attributes:
        algorithm: with its options.
        dataset: a registered name, or a source's prefix and what follows it.
        dataset_config: the data set's own options, or None.
        data: validation part, subsets, size.
        backbone: a registered name, or a source's prefix and a model's name.
        backbone_config: its options.
        fit: how it is trained, the seed included.
        execution: how a step runs.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        minutes: fit the epochs to this time; 0 for the epochs of ``fit``.
        own_keys: options that were set for this algorithm alone; for messages.
        metrics: registered metrics that are measured on the test set besides accuracy.
    """

    algorithm: AlgorithmSpec
    dataset: str
    dataset_config: Any
    data: DataOptions
    backbone: str
    backbone_config: Any
    fit: FitOptions
    execution: Execution
    device: str = "auto"
    minutes: float = 0.0
    own_keys: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """A short name for a folder or a line."""
        backbone = self.backbone.replace(":", "-")
        dataset = Path(self.dataset.partition(":")[2]).stem if ":" in self.dataset else self.dataset
        return f"{self.algorithm.name}-{dataset}-{backbone}-s{self.fit.seed}"

    def with_fit(self, **changes: Any) -> RunConfig:
        """A copy with some fit options changed."""
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **changes))

    def without_pretrained(self) -> RunConfig:
        """A copy that downloads no weights, for when a checkpoint follows."""
        if getattr(self.backbone_config, "pretrained", False):
            return dataclasses.replace(
                self, backbone_config=dataclasses.replace(self.backbone_config, pretrained=False)
            )
        return self

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads back."""
        return {
            "algo": self.algorithm.name,
            "algorithm": self.algorithm.to_json(),
            "dataset": self.dataset,
            "dataset_options": options.to_json(self.dataset_config),
            "data": options.to_json(self.data),
            "backbone": self.backbone,
            "backbone_options": options.to_json(self.backbone_config),
            "fit": options.to_json(self.fit),
            "execution": options.to_json(self.execution),
            "device": self.device,
            "minutes": self.minutes,
            **({"metrics": list(self.metrics)} if self.metrics else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunConfig:
        """Read what :meth:`to_json` wrote.

        Raises:
            CheckpointError: a key is missing.
            FFZooError: a name or option that this installation does not know.
        """
        try:
            base = algorithm_spec(data["algo"])
            if base.recipe is not None:
                spec = dataclasses.replace(base, config=Recipe.from_json(data["algorithm"]))
            else:
                spec = algorithm_spec(data["algo"], data["algorithm"])
            return cls(
                spec,
                data["dataset"],
                _dataset_config(data["dataset"], data["dataset_options"] or {}),
                options.replace(DataOptions(), data["data"], "data."),
                data["backbone"],
                backbone_config(data["backbone"], data["backbone_options"]),
                options.replace(FitOptions(), data["fit"], "fit."),
                options.replace(Execution(), data["execution"], "execution."),
                data["device"],
                float(data["minutes"]),
                metrics=tuple(data.get("metrics", ())),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"config.json is not that of a run: {type(error).__name__} {error}") from error


def dataset_entry(name: str) -> tuple[Entry, str]:
    """The entry of a data set's name, and the text behind a source's prefix.

    Raises:
        UnknownNameError: no such data set or source.
    """
    prefix, colon, rest = name.partition(":")
    if not colon:
        return ZOO["datasets"].get(name), ""
    entry = ZOO["dataset_sources"].get(prefix)
    if not rest:
        raise OptionError(f"data set {name!r} names nothing to read; expected {prefix}:PATH or {prefix}:NAME")
    return entry, rest


def _dataset_config(name: str, changes: Mapping[str, Any]) -> Any:
    config_class = dataset_entry(name)[0].load_config()
    return None if config_class is None else options.replace(config_class(), changes, "data.")


def parse_set(items: Sequence[str]) -> dict[str, str]:
    """``["fit.lr=0.01"]`` -> ``{"fit.lr": "0.01"}``.

    Raises:
        OptionError: an item without ``=``, or a key given twice.
    """
    found: dict[str, str] = {}
    for item in items:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not key:
            raise OptionError(f"--set {item!r} is not KEY=VALUE, e.g. --set fit.lr=0.01")
        if key in found:
            raise OptionError(f"--set {key} is given twice: {found[key]!r} and {value!r}")
        found[key] = value.strip()
    return found


def parse_settings(items: Sequence[str]) -> dict[str, str]:
    """:func:`parse_set` of an option's own items, which were one text cut at commas.

    ``("fit.augment=crop", "flip", "fit.lr=0.01")`` -> ``{"fit.augment": "crop,flip", "fit.lr": "0.01"}``: an item
    without ``=`` goes on with the value before it.

    Raises:
        OptionError: the first item has no ``=``, or a key is given twice.
    """
    whole: list[str] = []
    for item in items:
        if whole and "=" not in item:
            whole[-1] += f",{item}"
        else:
            whole.append(item)
    return parse_set(whole)


def make_run(
    algo: str,
    dataset: str = "digits",
    *,
    backbone: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    execution: Execution | None = None,
    device: str = "auto",
    minutes: float = 0.0,
    shared_only: bool = False,
    metrics: tuple[str, ...] = (),
) -> RunConfig:
    """Resolve one run: the defaults of the data set, then of the algorithm, then what is given here.

    Args:
        algo: a registered algorithm.
        dataset: a registered data set, or ``folder:PATH``, ``npz:PATH``, ...
        backbone: a registered backbone or ``timm:NAME``; the data set's default when None.
        epochs: passes over the training part.
        batch_size: samples a step.
        seed: of initial weights and data order.
        settings: options by key: ``fit.``, ``backbone.`` and ``data.`` ones, and the algorithm's.
        execution: how a step runs.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        minutes: fit the epochs to this time.
        shared_only: leave the algorithm's own keys out: they were meant for another arm.
        metrics: registered metrics that are measured on the test set.

    Raises:
        FFZooError: an unknown name or option; nothing has been imported or written yet.
    """
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    own: dict[str, Any] = {}
    for key, value in (settings or {}).items():
        section, dot, rest = key.partition(".")
        if dot and section in sections:
            sections[section][rest] = value
        elif not shared_only:
            own[key] = value
    algorithm_entry = ZOO["algorithms"].get(algo)
    for name in metrics:
        ZOO["metrics"].get(name)
    data_entry, _ = dataset_entry(dataset)
    defaults: dict[str, Any] = {**data_entry.tags.get("defaults", {}), **algorithm_entry.tags.get("defaults", {})}
    given = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    if "seed" in sections["fit"]:
        raise OptionError("option 'fit.seed' is the seed's; expected --seed or --seeds")
    for key, value in given.items():
        if value is not None and key in sections["fit"]:
            raise OptionError(f"option 'fit.{key}' is given twice: {value!r} and {sections['fit'][key]!r}")
    if minutes and (epochs is not None or "epochs" in sections["fit"]):
        raise OptionError("epochs and minutes are both given; expected one of them")
    fit_changes = {k.removeprefix("fit."): v for k, v in defaults.items() if k.startswith("fit.")}
    fit_changes |= sections["fit"] | {k: v for k, v in given.items() if v is not None}
    _check_section(algo, own)
    spec = algorithm_spec(algo, own)
    backbone = backbone or defaults.get("backbone", "cnn")
    backbone_class = backbone_entry(backbone)[0].load_config()
    # Another backbone than the one an algorithm has in mind may not have all the options it brings.
    backbone_fields = options.field_types(backbone_class) if backbone_class else {}
    brought = {k.removeprefix("backbone."): v for k, v in defaults.items() if k.startswith("backbone.")}
    backbone_changes = {k: v for k, v in brought.items() if k in backbone_fields} | sections["backbone"]
    data_fields = options.field_types(DataOptions)
    config_class = data_entry.load_config()
    own_fields = options.field_types(config_class) if config_class else {}
    for key in sections["data"]:
        if key not in data_fields and key not in own_fields:
            raise OptionError(f"unknown option 'data.{key}': {nearest(key, [*data_fields, *own_fields])}")
    general = {k: v for k, v in sections["data"].items() if k in data_fields}
    options.require(0 <= minutes < float("inf"), "minutes", minutes, "a number of at least 0")
    return RunConfig(
        spec,
        dataset,
        _dataset_config(dataset, {k: v for k, v in sections["data"].items() if k in own_fields}),
        options.replace(DataOptions(), general, "data."),
        backbone,
        backbone_config(backbone, backbone_changes),
        options.replace(FitOptions(), fit_changes, "fit."),
        execution or Execution(),
        device,
        minutes,
        tuple(own),
        metrics,
    )


def _check_section(algo: str, own: Mapping[str, Any]) -> None:
    """A misspelt section would otherwise be called an unknown option of the recipe."""
    for key in own:
        section, dot, _ = key.partition(".")
        if dot and section not in Recipe.__dataclass_fields__ and section not in ("goodness", "loss", "terms"):
            known = [*SECTIONS, "goodness", "loss", "fusion", "negatives", "label_embedding"]
            raise OptionError(f"unknown option {key!r}: {nearest(section, known)}")


def data_root(data_dir: str | Path | None) -> Path:
    """The folder data sets are kept in: what is given, else ``FFZOO_DATA``, else the cache folder."""
    return Path(data_dir).expanduser() if data_dir is not None else default_root()
