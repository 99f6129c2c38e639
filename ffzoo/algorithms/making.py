"""From a recipe's choices to parts: find, build, and refuse what contradicts each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from inspect import isclass
from typing import Any, cast

from torch import nn

from ffzoo.backbones.base import Backbone
from ffzoo.errors import RecipeError
from ffzoo.parts.base import Build, FunctionGoodness, Goodness, LabelEmbedding, LocalLoss, Negatives
from ffzoo.parts.options import AutoLabel
from ffzoo.registry.choices import find


def make_part(kind: str, part: Any, *args: Any) -> Any:
    """Build a part; parts without options get None for their config."""
    entry, config = find(kind, part)
    return entry.load()(config, *args)


def make_goodness_part(part: Any, build: Build, backbone: Backbone) -> Goodness:
    """Build a goodness; a plain function becomes a sample goodness."""
    entry, config = find("goodness", part)
    target: Any = entry.load()
    if not isclass(target):
        return FunctionGoodness(target, build)
    goodness = cast("Goodness", cast("Any", target)(config, build))
    goodness.attach(backbone)
    return goodness


def forward_norm(part: Any, backbone: Backbone) -> Any:
    """Return the norm in front of blocks; ``auto`` is none where blocks normalize, and layernorm elsewhere."""
    if part == "auto":
        return "none" if backbone.normalized else "layernorm"
    return part


def label_embedding(part: Any, backbone: Backbone) -> Any:
    """Return the label embedding; ``auto`` is waves where blocks pass on maps, and overlay everywhere else."""
    config = find("label_embeddings", part)[1]
    if not isinstance(config, AutoLabel):
        return part
    return config.chosen(backbone.channels_second and len(backbone.feature_shapes[0]) == 3)


def check_terms(
    terms: Sequence[tuple[Goodness, LocalLoss, float]],
    negatives: Negatives,
    chosen: str,
    labelled: bool,
) -> None:
    """Refuse parts that contradict each other.

    Args:
        terms: those of one block.
        negatives: of the recipe.
        chosen: their name; with any but ``none`` there is a second view.
        labelled: labels enter the input.

    Raises:
        RecipeError: with what is wrong and what was expected.
    """
    contrasts = chosen != "none"
    for goodness, loss, _ in terms:
        if goodness.kind not in loss.accepts:
            raise RecipeError(
                f"{type(loss).__name__} accepts {' or '.join(loss.accepts)} scores, but "
                f"{type(goodness).__name__} gives {goodness.kind} scores"
            )
        if loss.views == 2 and not (contrasts and loss.second == negatives.sign):
            kind = "negative" if loss.second < 0 else "positive"
            raise RecipeError(
                f"{type(loss).__name__} compares each sample with a {kind} view of it, which negatives="
                f"{chosen} does not make; expected other negatives"
            )
        if goodness.kind == "class" and labelled:
            raise RecipeError(
                f"{type(goodness).__name__} scores classes, and the label embedding would show it the right one; "
                "expected label_embedding=none"
            )
    if contrasts and all(loss.views == 1 for _, loss, _ in terms):
        raise RecipeError("no loss compares negatives with positives; expected negatives=none")
    if negatives.wrong_labels and not labelled:
        raise RecipeError("negatives=wrong_label needs labels in the input; expected label_embedding=overlay or concat")


def check_channels(
    backbone: Backbone, norms: Iterable[nn.Module], norm: Any, labels: LabelEmbedding, chosen: Any
) -> None:
    """Refuse parts that read channels of a backbone whose blocks pass on tokens, or channels that come last.

    Raises:
        RecipeError: with the norm's or the label embedding's name.
    """
    by_channel = any(getattr(part, "by_channel", False) for part in norms)
    if (by_channel or labels.per_block) and not backbone.channels_second:
        what, kind, part = "label_embedding", "label_embeddings", chosen
        if by_channel:
            what, kind, part = "forward_norm", "normalizations", norm
        raise RecipeError(
            f"{what}={find(kind, part)[0].name} reads (B, channels, ...), but blocks of this backbone "
            f"pass on tokens, or channels that come last; expected another {what} or another backbone"
        )
