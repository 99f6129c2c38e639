"""Train a model on data, whoever's they are, and get it back trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ffzoo.algorithms.build import AlgorithmSpec
from ffzoo.algorithms.given import Model, Rule
from ffzoo.algorithms.meaning import meaning
from ffzoo.data.bundle import Preprocess
from ffzoo.errors import OptionError
from ffzoo.run import environment
from ffzoo.run.bring import bring, with_goodness
from ffzoo.run.observers import Observer, Observers, Run, make_observer
from ffzoo.run.runner import read_data
from ffzoo.run.spec import RunConfig, RunSpec
from ffzoo.run.terminal import Progress, Reporter
from ffzoo.run.trained import Trained, build_algorithm, data_facts
from ffzoo.training.fit import Position, Stopwatch, steps_per_epoch
from ffzoo.training.fit import fit as train


def fit(
    model: Model,
    data: Any,
    algo: Rule = "dtg_ff",
    *,
    goodness: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: Literal["fp32", "bf16"] = "fp32",
    progress: bool = True,
    observers: Sequence[str | Observer] = (),
) -> Trained:
    """Train a model by a rule, on all of the data.

    Validation samples are held out only for a rule that chooses something on them, and if ``settings`` ask for it with
    ``data.validation``. The model that is handed over is copied and stays as it is.

    Args:
        model: an ``nn.Module``, which is cut into blocks at its top-level children, without its own head; a class or
            function that makes one; a registered backbone, or ``timm:NAME``.
        data: ``(x, y)`` of arrays or tensors, a Dataset, a DataLoader, a Hugging Face data set, a dictionary of these
            with the keys ``train`` and ``validation``, or a registered data set.
        algo: a registered algorithm, a recipe, a function that returns one, or a class.
        goodness: a goodness in place of the recipe's: a name, options, a class, or a function ``h -> (B,)``.
        epochs: passes over the data; 10 unless the data set or the rule says otherwise.
        batch_size: samples per step; a DataLoader has its own.
        seed: of initial weights and data order.
        settings: options by key, as after ``--set``: ``{"fit.lr": 0.01, "backbone.by": ["layer1", "layer2"]}``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32`` or ``bf16``, which is autocast of the blocks.
        progress: print how the model was cut, what was assumed of the data, and a progress bar.
        observers: what else watches the training: registered names, or observers.

    Returns:
        The trained model.

    Raises:
        DataError: data that cannot be understood or trained on.
        OptionError: a model, rule or option that cannot be used.
        PartitionError: a model that cannot be cut.
        DivergedError: a loss became NaN or infinite.
    """
    (rule,), dataset, backbone, size = bring([algo], data, model, batch_size)
    (config,) = RunSpec(
        algo=rule,
        dataset=dataset,
        backbone=backbone,
        epochs=epochs,
        batch_size=size,
        seeds=(seed,),
        settings=with_goodness(settings, goodness),
        device=device,
        precision=precision,
    ).runs()
    if "data.validation" not in (settings or {}) and not _chooses(config.algorithm):
        config = dataclasses.replace(config, data=dataclasses.replace(config.data, validation=0.0))
    return _trained(config, progress, [make_observer(chosen) for chosen in observers])


def _chooses(spec: AlgorithmSpec) -> bool:
    """Return whether a rule chooses something on validation samples."""
    if spec.recipe is None:
        return bool(spec.target.needs_validation)
    return meaning(spec.recipe.resolved()).calibrates


def _trained(config: RunConfig, progress: bool, observers: Sequence[Observer]) -> Trained:
    device, reporter = environment.resolve_device(config.device), Reporter(progress)
    with environment.random_state_kept(device):
        data = read_data(config, test=False).to(device)
        algorithm = build_algorithm(config, data.shape, data.num_classes, device)
        if algorithm.needs_validation and data.validation is None:
            raise OptionError(
                f"fusion {algorithm.fusion!r} chooses on validation samples, and {data.name} has none; expected "
                "{'train': ..., 'validation': ...}, or another fusion, such as settings={'fusion': 'sum'}"
            )
        reporter.plan([config], data, None, str(device), files=False)
        reporter.split(algorithm.backbone)
        preprocess = Preprocess(data.mean, data.std).to(device)
        steps = steps_per_epoch(data.train, config.fit)
        shown = [Progress([steps * config.fit.epochs])] if progress else []
        history: list[dict[str, float]] = []
        watched = Observers([*shown, *observers])
        position = Position(0, Stopwatch())

        def on_epoch(means: dict[str, float]) -> None:
            history.append(means)
            watched.epoch(position.epoch, means)

        try:
            watched.start(Run(config, algorithm, None, steps))
            train(algorithm, data, preprocess, config.fit, position, watched.step, on_epoch, config.data)
        finally:
            watched.close(None)
    facts = {"device": str(device), "data_facts": data_facts(data), "versions": environment.versions()}
    saved = {"fit": position.to_json(), "measured": {}, "data_sha256": data.sha256}
    return Trained(
        algorithm,
        preprocess,
        data.class_names,
        data.shape,
        data.train.pixels,
        config.data,
        config.to_json() | facts,
        saved,
        history,
    )
