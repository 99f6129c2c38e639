"""A recipe: an algorithm written as one choice for each of its parts. No torch in here.

A part is written as its registered name (``"sum"``) or, to give it options, as its config
(``Projection(grid=4)``). The paper's own rule and its backprop twin differ in one word::

    DTG_FF = Recipe(terms=(Term(Projection(power=2, grid=4, temperature="learned"), "cross_entropy"),))
    BP_DEEPSUP = DTG_FF.replace(isolation="none")
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ffzoo.errors import OptionError, RecipeError, nearest
from ffzoo.registry import options
from ffzoo.registry.choices import FORWARD_NORM, Part, find, part_from_json, part_to_json, resolve

Isolation = Literal["local", "overlap", "none"]
DepthWeights = Literal["equal", "growing", "last_heavy"]

_KIND_OF = {
    "goodness": "goodness",
    "loss": "local_losses",
    "label_embedding": "label_embeddings",
    "negatives": "negatives",
    "goodness_norm": "normalizations",
    "forward_norm": FORWARD_NORM,
    "schedule": "schedules",
    "fusion": "fusions",
}


@dataclass(frozen=True)
class Term:
    """One local loss of a block: ``weight * loss(goodness(h))``.

    Attributes:
        goodness: features of the block -> score.
        loss: score -> scalar.
        weight: factor of this term in the block's loss.
        blocks: ``"all"``, or ``"last"`` for a term on the last block alone.
    """

    goodness: Part
    loss: Part
    weight: float = 1.0
    blocks: Literal["all", "last"] = "all"

    def __post_init__(self) -> None:
        options.check(self)


@dataclass(frozen=True)
class Recipe:
    """An algorithm as one choice for each part; immutable, equal by value, JSON and back.

    Attributes:
        terms: the local losses of a block.
        label_embedding: how a candidate label enters the input.
        negatives: generator of negative samples.
        goodness_norm: normalization on the goodness path only.
        forward_norm: normalization of what the next block reads, after the goodness was read.
            ``"auto"`` is ``layernorm`` between native blocks and ``none`` between the blocks of a
            model that brings norms of its own.
        isolation: where the gradient stops: ``"local"`` at every block; ``"overlap"`` at every second block, the
            odd ones in one step and the even ones in the next, so that a loss reaches its block and the one before;
            ``"none"`` nowhere.
        schedule: which blocks train when.
        train_blocks: False leaves the backbone as it was initialized, and trains goodness, losses and fusion only:
            the random-features control of any rule.
        fusion: per-block scores or features -> prediction.
        fusion_grad: ``"detached"``, or ``"one_hop"``: the fusion's loss reaches each block it reads
            (not layer-local in the strict sense, and it keeps every block's activations alive).
        depth_weights: factor of a block's loss, see :meth:`depth_weight`: ``"equal"``, ``"growing"`` or
            ``"last_heavy"``.
    """

    terms: tuple[Term, ...]
    label_embedding: Part = "none"
    negatives: Part = "none"
    goodness_norm: Part = "none"
    forward_norm: Part = "auto"
    isolation: Isolation = "local"
    schedule: Part = "simultaneous"
    train_blocks: bool = True
    fusion: Part = "sum"
    fusion_grad: Literal["detached", "one_hop"] = "detached"
    depth_weights: DepthWeights = "equal"

    def __post_init__(self) -> None:
        for term in self.terms:
            if not isinstance(term, Term):
                raise RecipeError(f"terms holds {term!r}; expected Term(goodness, loss)")

    def depth_weight(self, block: int, depth: int) -> float:
        """Return the factor of a block's loss: 1 for the last block under every choice.

        An early head that weighs as much as the last one costs deep supervision accuracy. A local rule whose optimizer
        rescales its gradients (Adam, Muon) hardly feels the factor: no other block's loss reaches its parameters.

        Args:
            block: from 0.
            depth: number of blocks.

        Returns:
            1 for ``equal``, ``(block + 1) / depth`` for ``growing``, and for ``last_heavy`` 0.3 before the last block,
            the weight of GoogLeNet's auxiliary classifiers (Szegedy et al. 2015).
        """
        early = {"equal": 1.0, "growing": (block + 1) / depth, "last_heavy": 0.3}[self.depth_weights]
        return 1.0 if block == depth - 1 else early

    def replace(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def set(self, changes: Mapping[str, Any]) -> Recipe:
        """Return a copy with options set by key, as ``--set`` does.

        Args:
            changes: ``{"fusion": "last"}`` chooses a part, ``{"goodness.grid": 2}`` sets an option of
                one; ``goodness.`` and ``loss.`` mean those of the first term, ``terms.1.goodness.``
                those of the second.

        Raises:
            OptionError: a key that nothing reads, or a value of the wrong type.
            UnknownNameError: a part that nothing registered.
        """
        recipe = self
        # Parts first: an option belongs to the part that is chosen in the same breath.
        for key, value in sorted(changes.items(), key=lambda item: item[0].count(".")):
            recipe = recipe._set(key, value)
        return recipe

    def _set(self, key: str, value: Any) -> Recipe:
        path = key.split(".")
        if path[0] in ("goodness", "loss", "weight", "blocks"):
            path = ["terms", "0", *path]
        if path[0] == "terms":
            index = int(path[1]) if len(path) > 2 and path[1].isdigit() else -1
            if not 0 <= index < len(self.terms):
                raise OptionError(f"unknown option {key!r}: this recipe has terms.0 to terms.{len(self.terms) - 1}")
            terms = list(self.terms)
            terms[index] = _set_field(terms[index], path[2:], value, key)
            return self.replace(terms=tuple(terms))
        return _set_field(self, path, value, key)

    def resolved(self) -> Recipe:
        """Return the same recipe with every part as its full config (parts without options: the name).

        Raises:
            UnknownNameError: a part that nothing registered.
        """
        parts = {name: resolve(kind, getattr(self, name)) for name, kind in _KIND_OF.items() if hasattr(self, name)}
        terms = tuple(
            dataclasses.replace(
                term, goodness=resolve("goodness", term.goodness), loss=resolve("local_losses", term.loss)
            )
            for term in self.terms
        )
        return self.replace(terms=terms, **parts)

    def validate(self) -> None:
        """Check what can be checked without building anything.

        Raises:
            RecipeError: no terms, an unknown isolation, or parts that contradict each other.
            UnknownNameError: a part that nothing registered.
        """
        if not self.terms:
            raise RecipeError("a recipe has no terms; expected at least one Term(goodness, loss)")
        for name in ("isolation", "fusion_grad", "depth_weights"):
            allowed = options.field_types(Recipe)[name].__args__
            if getattr(self, name) not in allowed:
                raise RecipeError(f"{name} is {getattr(self, name)!r}: {nearest(str(getattr(self, name)), allowed)}")
        self.resolved()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; :meth:`from_json` reads them back to an equal, resolved recipe."""
        recipe = self.resolved()
        data: dict[str, Any] = {}
        for f in dataclasses.fields(recipe):
            value = getattr(recipe, f.name)
            data[f.name] = part_to_json(_KIND_OF[f.name], value) if f.name in _KIND_OF else value
        data["terms"] = [
            {
                "goodness": part_to_json("goodness", t.goodness),
                "loss": part_to_json("local_losses", t.loss),
                "weight": t.weight,
                "blocks": t.blocks,
            }
            for t in recipe.terms
        ]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """Read what :meth:`to_json` wrote.

        Raises:
            RecipeError: a key is missing or unknown.
            UnknownNameError: a part that nothing registered.
        """
        names = {f.name for f in dataclasses.fields(cls)}
        for key in data:
            if key not in names:
                raise RecipeError(f"a recipe has no field {key!r}: {nearest(key, names)}")
        try:
            values = {k: part_from_json(_KIND_OF[k], v) if k in _KIND_OF else v for k, v in data.items()}
            values["terms"] = tuple(
                Term(
                    part_from_json("goodness", t["goodness"]),
                    part_from_json("local_losses", t["loss"]),
                    float(t.get("weight", 1.0)),
                    t.get("blocks", "all"),
                )
                for t in data["terms"]
            )
        except (KeyError, TypeError) as error:
            raise RecipeError(f"this is not a recipe: {type(error).__name__}: {error}") from error
        return cls(**values)


def _set_field(owner: Any, path: list[str], value: Any, key: str) -> Any:
    """Set ``owner.part`` to a part by name, ``owner.part.option``, or a plain field."""
    fields = options.field_types(type(owner))
    name = path[0]
    if name not in fields or name == "terms" or len(path) > 2:
        known = [f for f in fields if f != "terms"]
        if isinstance(owner, Recipe):
            known += ["goodness", "loss"]
        raise OptionError(f"unknown option {key!r}: {nearest(name, known)}")
    if name not in _KIND_OF:
        if len(path) == 2:
            raise OptionError(f"unknown option {key!r}: {name!r} has no options of its own")
        return options.replace(owner, {name: value}, key.removesuffix(name))
    if len(path) == 1:  # looked up by validate(): a plugin may choose a part it is only about to register
        return dataclasses.replace(owner, **{name: value})
    entry, config = find(_KIND_OF[name], getattr(owner, name))
    if config is None:
        raise OptionError(f"unknown option {key!r}: {entry} has no options")
    return dataclasses.replace(owner, **{name: options.replace(config, {path[1]: value}, key.removesuffix(path[1]))})
