"""What a recipe means: what a step forwards, what couples its blocks, what a prediction takes.

It follows from what the recipe's parts declare, and is computed here once, for the engine and for the cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ffzoo.algorithms.recipe import Recipe
from ffzoo.registry.choices import find


@dataclass(frozen=True)
class Meaning:
    """What follows from the parts of a recipe.

    Attributes:
        coupling: what passes back from later blocks besides gradients; ``"none"``, or kinds joined by ``+``.
        labelled: labels enter the input.
        contrasts: a step forwards a second view of each sample.
        views: what a step forwards, such as ``("positive", "negative")``.
        extra: forward passes of a step besides those of its views, in words.
        requires: fields of the context that the parts need filled.
        score: what a block knows of classes: scores of classes, a score for each candidate label, or nothing.
        label_sweep: a prediction takes one pass per candidate label.
        fusion: name of the fusion.
        fusion_reads: ``"scores"`` or ``"features"``.
        calibrates: the fusion chooses something on the validation set.
    """

    coupling: str
    labelled: bool
    contrasts: bool
    views: tuple[str, ...]
    extra: tuple[str, ...]
    requires: frozenset[str]
    score: Literal["class", "sample"] | None
    label_sweep: bool
    fusion: str
    fusion_reads: Literal["scores", "features"]
    calibrates: bool


def meaning(recipe: Recipe) -> Meaning:
    """Read what a recipe's parts declare; their classes are imported for that.

    Raises:
        UnknownNameError: a part that nothing registered.
    """

    def chosen(kind: str, part: Any) -> tuple[str, Any]:
        entry = find(kind, part)[0]
        return entry.name, entry.load()

    goodness = [chosen("goodness", term.goodness)[1] for term in recipe.terms]
    losses = [chosen("local_losses", term.loss)[1] for term in recipe.terms]
    negatives_name, negatives = chosen("negatives", recipe.negatives)
    fusion_name, fusion = chosen("fusions", recipe.fusion)
    labelled = chosen("label_embeddings", recipe.label_embedding)[0] != "none"
    contrasts = negatives_name != "none"

    # A goodness may be a plain function, which declares nothing: it scores samples.
    couplings = {getattr(part, "coupling", "none") for part in (*goodness, *losses, negatives, fusion)} - {"none"}
    requires = frozenset(field for part in (*goodness, *losses) for field in getattr(part, "requires", ()))
    kinds = {getattr(part, "kind", "sample") for part in goodness}
    score: Literal["class", "sample"] | None = None
    if "class" in kinds:
        score = "class"
    elif "sample" in kinds and labelled:
        score = "sample"

    views, extra = ["positive"], []
    if contrasts:
        views.append("negative" if negatives.sign < 0 else "second positive")
    if labelled and fusion.reads == "features":
        views.append("neutral label")
    if contrasts and negatives.reads_prediction:
        extra.append("a prediction, for the negatives")
    if "others" in requires:
        extra.append("every view once more, for the other blocks' scores")
    return Meaning(
        coupling="+".join(sorted(couplings)) or "none",
        labelled=labelled,
        contrasts=contrasts,
        views=tuple(views),
        extra=tuple(extra),
        requires=requires,
        score=score,
        label_sweep=labelled and "class" not in kinds and fusion.reads != "features",
        fusion=fusion_name,
        fusion_reads=fusion.reads,
        calibrates=fusion.calibrates,
    )
