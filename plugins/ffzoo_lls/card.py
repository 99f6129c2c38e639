"""The cards of ``lls`` and its variants."""

from __future__ import annotations

from dataclasses import replace

from ffzoo.registry.cards import Card

_SHARED = (
    "Blocks are the backbone's: the authors' have batch norm and leaky ReLU.",
    "Maps are pooled to 4 x 4 windows in every block; theirs to 4 x 4 in the first and to 2 x 2 in the others.",
    "The prediction is the last block's scores; theirs is a linear layer on its features, trained beside the blocks.",
)
LLS = Card(
    title="LLS: Local Learning Rule for Deep Neural Networks Inspired by Neural Activity Synchronization",
    authors="Apolinario, Roy and Roy",
    year=2024,
    url="https://arxiv.org/abs/2405.15868",
    source="code",
    local="A block learns from the cross-entropy of its own features against waves that nobody learns.",
    departures=_SHARED,
    remarks=(
        "The frequencies go from 50 to 512 radians a feature for every number of classes, as the authors' code sets "
        "them; goodness.wave=sine is their other form.",
    ),
)
LLS_M = replace(
    LLS,
    local="A block and one factor a class learn from their own cross-entropy.",
    departures=(*_SHARED, "The temperature of 0.1 is ours, theirs is 0.5: the initial factors are small."),
)
LLS_MXM = replace(
    LLS_M,
    local="A block and a matrix of classes by classes learn from their own cross-entropy.",
)
LLS_RANDOM = replace(
    LLS,
    local="A block learns from the cross-entropy of its own features through a random matrix that stays as it is.",
    departures=(
        *_SHARED,
        "The matrix is N(0, 1/d) at a temperature of 1, chosen on the validation part of digits; theirs is "
        "N(0, 0.1^2), averaged down from 2,048 features, at 0.5.",
    ),
    remarks=(),
)
