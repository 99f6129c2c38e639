"""What a user says of a run, and what follows from it: fully resolved before torch is imported."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, MinLen

from ffzoo.algorithms.build import AlgorithmSpec, algorithm_spec, backbone_config, backbone_entry
from ffzoo.algorithms.options import Execution, FitOptions, StepOptions
from ffzoo.algorithms.recipe import Recipe, Term
from ffzoo.algorithms.sheet import describe
from ffzoo.data.options import DataOptions, default_root
from ffzoo.errors import CheckpointError, OptionError, nearest
from ffzoo.registry import options
from ffzoo.registry.brought import Brought
from ffzoo.registry.entries import Entry
from ffzoo.registry.loader import ZOO

SECTIONS = ("fit", "backbone", "data")
"""Prefixes of keys that are not the algorithm's."""
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, kw_only=True)
class RunSpec(StepOptions):
    """What a user may say of a run.

    The options of ``ffzoo train``, the keys of a configuration's table ``[run]`` and the keywords of
    :func:`ffzoo.evaluate <ffzoo.run.evaluate.evaluate>` are its fields.

    Attributes:
        algo: a registered algorithm.
        dataset: a registered data set, or ``folder:PATH``, ``npz:PATH``, ``medmnist:NAME``.
        backbone: a registered backbone or ``timm:NAME``; the data set's default when None.
        epochs: passes over the training set; the data set's default when None.
        minutes: fit the epochs so that all runs together take about this long; 0 leaves them as they are.
        batch_size: samples per step; the data set's default when None.
        seeds: one run per seed; several give a mean and a standard deviation.
        settings: options by key, as after ``--set``: ``{"fit.lr": 0.01, "goodness.grid": 2}``.
        against: other algorithms, trained on the same data with the same seeds.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.
        out: a new run folder; nothing is written when None.
        progress: show a plan, a progress bar and a table.
        metrics: registered metrics that are measured on the test set besides accuracy, such as ``"top5"``.
        observers: what else watches the runs: registered names, or observers.
    """

    algo: str = "dtg_ff"
    dataset: str = "digits"
    backbone: str | None = None
    epochs: Annotated[int, Ge(1)] | None = None
    minutes: Annotated[float, Ge(0)] = 0.0
    batch_size: Annotated[int, Ge(1)] | None = None
    seeds: Annotated[tuple[Annotated[int, Ge(0)], ...], MinLen(1)] = (0,)
    settings: Mapping[str, Any] = field(default_factory=dict)
    against: tuple[str, ...] = ()
    device: str = "auto"
    data_dir: Path | None = None
    out: Path | None = None
    progress: bool = False
    metrics: tuple[str, ...] = ()
    observers: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        known = self.device.partition(":")[0] in DEVICES  # cuda:1 is one, too
        options.require(known, "device", self.device, "auto, cpu, cuda or mps")

    @property
    def execution(self) -> Execution:
        """How a step of it runs."""
        return Execution(**{name: getattr(self, name) for name in options.field_types(StepOptions)})

    def runs(self) -> list[RunConfig]:
        """Return one resolved run for each algorithm and seed, those of ``algo`` first.

        Raises:
            FFZooError: an unknown name or option; nothing has been imported or written yet.
        """
        if len(set(self.seeds)) < len(self.seeds):
            raise OptionError(f"seeds is {options.to_text(self.seeds)}; expected each once")
        arms = (self.algo, *self.against)
        for number, name in enumerate(self.against):
            if name in arms[: number + 1]:
                what = "the algorithm itself" if name == self.algo else "given twice"
                raise OptionError(f"against is {name!r}, {what}; expected another one, such as 'bp'")
        return [
            make_run(
                name,
                self.dataset,
                backbone=self.backbone,
                epochs=self.epochs,
                batch_size=self.batch_size,
                seed=seed,
                settings=self.settings,
                execution=self.execution,
                device=self.device,
                minutes=self.minutes / (len(arms) * len(self.seeds)),
                shared_only=name != self.algo,
                metrics=self.metrics,
            )
            for name in arms
            for seed in self.seeds
        ]


@dataclass(frozen=True)
class RunConfig:
    """One training run: an algorithm on a data set with a seed.

    Attributes:
        algorithm: with its options.
        dataset: a registered name, or a source's prefix and what follows it.
        dataset_config: the data set's own options, or None.
        data: validation set, subsets, size.
        backbone: a registered name, or a source's prefix and a model's name.
        backbone_config: its options.
        fit: how it is trained, the seed included.
        execution: how a step runs.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        minutes: fit the epochs to this time; 0 for the epochs of ``fit``.
        own_keys: options that were set for this algorithm alone; for messages.
        metrics: registered metrics that are measured on the test set besides accuracy.
        start: the folder of a run whose weights it begins with; empty for new ones.
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
    start: str = ""

    @property
    def label(self) -> str:
        """A short name for a folder or a line."""
        backbone = self.backbone.replace(":", "-")
        dataset = Path(self.dataset.partition(":")[2]).stem if ":" in self.dataset else self.dataset
        return f"{self.algorithm.name}-{dataset}-{backbone}-s{self.fit.seed}"

    def with_fit(self, **changes: Any) -> RunConfig:
        """Return a copy with some fit options changed."""
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **changes))

    def without_pretrained(self) -> RunConfig:
        """Return a copy that downloads no weights, for when a checkpoint follows."""
        if getattr(self.backbone_config, "pretrained", False):
            return dataclasses.replace(
                self, backbone_config=dataclasses.replace(self.backbone_config, pretrained=False)
            )
        return self

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads back."""
        brought = [name for name in ("dataset", "backbone") if isinstance(getattr(self, name), Brought)]
        return {
            "algo": self.algorithm.name,
            "algorithm": self.algorithm.to_json(),
            "dataset": str(self.dataset),
            "dataset_options": options.to_json(self.dataset_config),
            "data": options.to_json(self.data),
            "backbone": str(self.backbone),
            "backbone_options": options.to_json(self.backbone_config),
            "fit": options.to_json(self.fit),
            "execution": options.to_json(self.execution),
            "device": self.device,
            "minutes": self.minutes,
            **({"metrics": list(self.metrics)} if self.metrics else {}),
            **({"from": self.start} if self.start else {}),
            **({"brought": brought} if brought else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], model: str | None = None) -> RunConfig:
        """Read what :meth:`to_json` wrote.

        Args:
            data: JSON values.
            model: what stands for a module of the user's that was trained.

        Raises:
            CheckpointError: a key is missing, or the model is.
            FFZooError: a name or option that this installation does not know.
        """
        try:
            if "terms" in (data["algorithm"] or {}):  # a recipe is all there is to know, registered or not
                spec = AlgorithmSpec(data["algo"], Recipe.from_json(data["algorithm"]))
            else:
                spec = algorithm_spec(data["algo"], data["algorithm"])
            dataset, backbone = data["dataset"], data["backbone"]
            brought = data.get("brought", ())
            if "dataset" in brought:
                dataset = Brought(dataset, "dataset_sources", None)
            if "backbone" in brought and model is None:
                raise CheckpointError(
                    f"the backbone is a module of your own, {backbone}; expected it again, to put the weights into: "
                    f"ffzoo.load(folder, model={backbone}(...))"
                )
            backbone = model if "backbone" in brought and model is not None else backbone
            return cls(
                spec,
                dataset,
                dataset_config(dataset, data["dataset_options"] or {}),
                options.replace(DataOptions(), data["data"], "data."),
                backbone,
                backbone_config(backbone, data["backbone_options"]),
                options.replace(FitOptions(), data["fit"], "fit."),
                options.replace(Execution(), data["execution"], "execution."),
                data["device"],
                float(data["minutes"]),
                metrics=tuple(data.get("metrics", ())),
                start=str(data.get("from", "")),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"config.json is not that of a run: {type(error).__name__} {error}") from error


def dataset_entry(name: str) -> tuple[Entry, str]:
    """Return the entry of a data set's name, and the text behind a source's prefix.

    Raises:
        UnknownNameError: no such data set or source.
    """
    if isinstance(name, Brought):
        return name.entry, name
    prefix, colon, rest = name.partition(":")
    if not colon:
        return ZOO["datasets"].get(name), ""
    entry = ZOO["dataset_sources"].get(prefix)
    if not rest:
        raise OptionError(f"data set {name!r} names nothing to read; expected {prefix}:PATH or {prefix}:NAME")
    return entry, rest


def dataset_config(name: str, changes: Mapping[str, Any]) -> Any:
    """Return the data set's own options; None where it has none."""
    config_class = dataset_entry(name)[0].load_config()
    return None if config_class is None else options.replace(config_class(), changes, "data.")


def parse_set(items: Sequence[str]) -> dict[str, str]:
    """Return ``["fit.lr=0.01"]`` -> ``{"fit.lr": "0.01"}``.

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
        epochs: passes over the training set.
        batch_size: samples per step.
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
    algorithm_entry = algo.entry if isinstance(algo, Brought) else ZOO["algorithms"].get(algo)
    for name in metrics:
        ZOO["metrics"].get(name)
    data_entry, _ = dataset_entry(dataset)
    defaults: dict[str, Any] = {**data_entry.tags.get("defaults", {}), **algorithm_entry.tags.get("defaults", {})}
    given = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    if "seed" in sections["fit"]:
        raise OptionError("option 'fit.seed' is the seed's; expected --seed")
    for key, value in given.items():
        if value is not None and key in sections["fit"]:
            raise OptionError(f"option 'fit.{key}' is given twice: {value!r} and {sections['fit'][key]!r}")
    if minutes and (epochs is not None or "epochs" in sections["fit"]):
        raise OptionError("epochs and minutes are both given; expected one of them")
    fit_changes = {k.removeprefix("fit."): v for k, v in defaults.items() if k.startswith("fit.")}
    fit_changes |= sections["fit"] | {k: v for k, v in given.items() if v is not None}
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
    _check_own(algorithm_entry, own, {"fit": FitOptions, "backbone": backbone_class, "data": DataOptions})
    spec = algorithm_spec(algo, own)
    general = {k: v for k, v in sections["data"].items() if k in data_fields}
    options.require(0 <= minutes < float("inf"), "minutes", minutes, "a number of at least 0")
    return RunConfig(
        spec,
        dataset,
        dataset_config(dataset, {k: v for k, v in sections["data"].items() if k in own_fields}),
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


def _check_own(algorithm: Entry, own: Mapping[str, Any], sections: Mapping[str, type | None]) -> None:
    """Check the keys that are the algorithm's: of others it is said where they belong.

    Raises:
        OptionError: a section that is misspelt, or a key without its section.
    """
    config_class = algorithm.load_config()
    roots = [*Recipe.__dataclass_fields__, *Term.__dataclass_fields__]
    roots += options.field_types(config_class) if config_class else []
    for key in own:
        section, dot, _ = key.partition(".")
        if section in roots:
            continue
        if dot:
            known = [*SECTIONS, "goodness", "loss", "fusion", "negatives", "label_embedding"]
            raise OptionError(f"unknown option {key!r}: {nearest(section, known)}")
        keys = [f"{name}.{option}" for name, cls in sections.items() if cls for option in options.field_types(cls)]
        sheet = describe(algorithm.name).choices if algorithm.name in ZOO["algorithms"] else ()
        parts = [choice for choice in sheet if choice.key]
        keys += [f"{part.key}.{option}" for part in parts for option in part.options]
        same = [known for known in keys if known.partition(".")[2] == key]
        if key in options.field_types(RunSpec) or key == "seed":
            same = [f"--{key.replace('_', '-')}"]
        meant = f"did you mean {' or '.join(map(repr, same))}?" if same else nearest(key, [*roots, *keys])
        raise OptionError(f"unknown option {key!r}: {meant}")


def data_root(data_dir: str | Path | None) -> Path:
    """Return the folder data sets are kept in: what is given, else ``FFZOO_DATA``, else the cache folder."""
    return Path(data_dir).expanduser() if data_dir is not None else default_root()
