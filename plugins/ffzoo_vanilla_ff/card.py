"""The cards of Hinton's Forward-Forward."""

from __future__ import annotations

import dataclasses

from ffzoo.registry.cards import Card, Published

_OPTIMIZER = "The optimizer is that of every rule of the library."
_NO_PEER_NORM = "There is no peer normalization; vanilla_ff_peer has it."
_LABEL = "The label is written at a height of 5."
_POOLED = "Feature maps are pooled to one number a channel for the readout."
_LOSS = (
    "The goodness is the mean of squares with a softer loss (scale 8, threshold 2); loss.scale=dim with "
    "loss.threshold=1 is the sum of squares against a threshold of the number of units."
)
_FLOOR = (
    "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
    "labels from wrong ones leaves less of the image than random weights do."
)

VANILLA_FF = Card(
    title="The Forward-Forward Algorithm: Some Preliminary Investigations",
    authors="Hinton",
    year=2022,
    url="https://arxiv.org/abs/2212.13345",
    source="third party",
    reconstruction=True,
    local="A block learns from its own goodness alone; what the next block reads is detached.",
    published=(Published("mnist", 98.64, "MLP 4 x 2000", "memory"),),
    departures=(
        _LOSS,
        _LABEL,
        "The wrong label is drawn evenly from the other classes; vanilla_ff_hard has the paper's harder ones.",
        _OPTIMIZER,
        _NO_PEER_NORM,
    ),
    remarks=(_FLOOR,),
)
VANILLA_FF_UNSUP = dataclasses.replace(
    VANILLA_FF,
    local="A block learns from its own goodness alone, without labels; the linear readout sends nothing back.",
    published=(Published("mnist", 98.63, "MLP 4 x 2000", "memory", "linear softmax on the last three blocks"),),
    departures=(
        _LOSS,
        "The linear readout is trained together with the blocks, not afterwards, on layer-normalized features; "
        "fusion=probe fits it afterwards.",
        _POOLED,
        _OPTIMIZER,
        _NO_PEER_NORM,
    ),
    remarks=("It needs images: the mask that mixes two of them is a picture.",),
)
VANILLA_FF_HARD = dataclasses.replace(
    VANILLA_FF,
    local="A block learns from its own goodness alone, but its negatives are drawn from a readout of all blocks.",
    departures=(
        _LOSS,
        _LABEL,
        "The readout that draws the wrong labels and predicts is trained together with the blocks, on layer-normalized "
        "features; how the paper draws them is from memory.",
        _POOLED,
        _OPTIMIZER,
        _NO_PEER_NORM,
    ),
)
VANILLA_FF_PEER = dataclasses.replace(
    VANILLA_FF,
    departures=(
        _LOSS,
        _LABEL,
        "The form of the peer normalization, its weight and its average of 0.9 are those of a public "
        "reimplementation (loeweX); of maps it reads the channels' means.",
        *VANILLA_FF.departures[2:4],
    ),
    remarks=("The average activity is that of a batch, so micro-batches are refused.", _FLOOR),
)
