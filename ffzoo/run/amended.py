"""A stored run with other options: what differs, and what may. No torch in here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ffzoo.errors import CheckpointError, OptionError
from ffzoo.registry import options
from ffzoo.run.spec import SECTIONS, RunConfig, dataset_config, dataset_entry

_FREE = ("device",)  # it says where, not what


def amend(config: RunConfig, said: Mapping[str, Any], shared_only: bool = False) -> RunConfig:
    """Return a run with some options changed.

    Args:
        config: as it was stored.
        said: fields of :class:`~ffzoo.run.spec.RunSpec` that were given: ``dataset``, ``epochs``, ``batch_size``,
            ``settings``, ``device``, ``metrics`` and how a step runs.
        shared_only: leave the algorithm's own keys out: they were meant for another arm.

    Raises:
        FFZooError: an unknown name or option.
    """
    sections: dict[str, dict[str, Any]] = {name: {} for name in (*SECTIONS, "own")}
    for key, value in said.get("settings", {}).items():
        section, dot, rest = key.partition(".")
        inside = dot and section in SECTIONS
        sections[section if inside else "own"][rest if inside else key] = value
    fit = {key: said[key] for key in ("epochs", "batch_size") if key in said}
    for key in fit.keys() & sections["fit"].keys():
        raise OptionError(f"option 'fit.{key}' is given twice: {fit[key]!r} and {sections['fit'][key]!r}")
    name = said.get("dataset", config.dataset)
    config_class = dataset_entry(name)[0].load_config()
    same = config_class is not None and isinstance(config.dataset_config, config_class)
    of_set = options.to_json(config.dataset_config) if same else {}
    own_fields = options.field_types(config_class) if config_class else {}
    general = {k: v for k, v in sections["data"].items() if k not in own_fields}
    changed = dataclasses.replace(
        config,
        dataset=name,
        dataset_config=dataset_config(name, of_set | {k: v for k, v in sections["data"].items() if k in own_fields}),
        data=options.replace(config.data, general, "data."),
        fit=options.replace(config.fit, sections["fit"] | fit, "fit."),
        execution=options.replace(
            config.execution,
            {k: v for k, v in said.items() if k in options.field_types(type(config.execution))},
            "",
        ),
        device=said.get("device", config.device),
        metrics=tuple(said.get("metrics", config.metrics)),
    )
    if sections["backbone"]:
        if config.backbone_config is None:
            raise OptionError(f"unknown option 'backbone.{next(iter(sections['backbone']))}': it has no options")
        replaced = options.replace(config.backbone_config, sections["backbone"], "backbone.")
        changed = dataclasses.replace(changed, backbone_config=replaced)
    return changed if shared_only or not sections["own"] else _with_own(changed, sections["own"])


def _with_own(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    spec = config.algorithm
    if spec.recipe is not None:
        recipe = spec.recipe.set(dict(changes))
        recipe.validate()
        return dataclasses.replace(config, algorithm=dataclasses.replace(spec, config=recipe))
    if spec.config is None:
        raise OptionError(f"unknown option {next(iter(changes))!r}: {spec.name} has no options")
    own = options.replace(spec.config, changes, "")
    return dataclasses.replace(config, algorithm=dataclasses.replace(spec, config=own))


def differences(first: RunConfig, second: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Return which resolved options two runs do not share, by key, with both values."""
    a, b = _flat(first.to_json()), _flat(second.to_json())
    return {key: (a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key)}


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in _flat(inner, f"{key}.{name}").items()}
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return {k: v for n, inner in enumerate(value) for k, v in _flat(inner, f"{key}.{n}").items()}
    return {key.removeprefix(".").removeprefix("algorithm."): value}


def again(runs: Sequence[RunConfig], said: Mapping[str, Any], folder: str) -> list[RunConfig]:
    """Return stored runs with the options that were given for going on with them.

    What is equal to what was stored is accepted, and so are more epochs, another device, and another place of the
    data, which are compared when they are read.

    Args:
        runs: as they were stored, those of the first algorithm first.
        said: fields of :class:`~ffzoo.run.spec.RunSpec` that were given.
        folder: for messages.

    Raises:
        CheckpointError: an option that cannot change.
        FFZooError: an unknown name or option.
    """
    names = list(dict.fromkeys(run.algorithm.name for run in runs))
    stored = {
        "algo": names[0],
        "against": tuple(names[1:]),
        "backbone": runs[0].backbone,
        "seeds": tuple(dict.fromkeys(run.fit.seed for run in runs)),
    }
    if said.get("minutes"):
        raise CheckpointError("minutes cannot change a run that has begun; expected epochs")
    for key, value in stored.items():
        if key in said and said[key] != value:
            old, new = (repr(options.to_text(v)) for v in (value, said[key]))
            raise CheckpointError(f"{folder!r} holds a run with {key} {old}, not {new}: that cannot change")
    found = []
    for run in runs:
        changed = amend(run, said, shared_only=run.algorithm.name != names[0])
        for key, (old, new) in differences(run, changed).items():
            more = key == "fit.epochs" and new > old
            if not (more or key in _FREE or key.partition(".")[0] in ("dataset", "dataset_options")):
                wanted = "at least as many" if key == "fit.epochs" else f"the same, or a new run with --from {folder}"
                raise CheckpointError(
                    f"{folder!r} was begun with {key} {old!r}, not {new!r}: that cannot change; expected {wanted}"
                )
        found.append(changed)
    return found
