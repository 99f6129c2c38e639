"""Hinton's Forward-Forward: high goodness on positive samples, low goodness on negative ones, with labels or without.

Two forward passes; every block is trained to have high goodness on positive samples and low goodness
on negative ones::

    G_l = mean of h_l^2                                  goodness
    p(positive) = sigmoid(s (G_l - theta))               s = 8, theta = 2
    L_l = mean of softplus(s (theta - G_l(x+))) and softplus(s (G_l(x-) - theta))
    u_l = h_l / rms(h_l), stop-gradient                  only the direction goes on

Supervised: the label is written over the first K pixels (on feature maps, where few places of a convolution would see
it, as plane waves in what every block reads), and a negative sample carries a wrong one. The prediction
either reads the goodness of every candidate label, without the first block (``Sum(first=1)``), or makes one pass with
a neutral label and a linear softmax on the normalized features (``fusion=concat_linear``). ``vanilla_ff_hard`` does the
latter and draws its wrong labels in proportion to what that softmax says of them before the step. ``vanilla_ff_peer``
adds 0.03 times the variance over units of their average activity. Unsupervised: a negative sample is a hybrid of two
images, and a linear softmax reads the blocks.

The softer loss and the label's height of 5 were chosen on the validation set of MNIST (MLP 3 x 1000): 3 epochs gave
89 % with scale D, the number of units, and 94 % with scale 5.
"""

import dataclasses

from ffzoo.plugin import (
    AutoLabel,
    Card,
    ConcatLinear,
    Logistic,
    Published,
    Recipe,
    Sum,
    Term,
    algorithm,
    goodness,
    local_loss,
)

goodness("activity", ".vanilla_ff_parts:Activity", summary="mean of h over a channel's map")
local_loss("peer_norm", ".vanilla_ff_parts:PeerNorm", summary="units should be equally active on average")

_LOSS = (
    "The goodness is the mean of squares with a softer loss (scale 8, threshold 2); loss.scale=dim with "
    "loss.threshold=1 is the sum of squares against a threshold of the number of units."
)
_LABEL = "The label is written at a height of 5; on feature maps it is plane waves in what every block reads."
_WRONG = "The wrong label is drawn evenly from the other classes; vanilla_ff_hard has the paper's harder ones."
_POOLED = "Feature maps are pooled to one number a channel for the readout."
_OPTIMIZER = "The optimizer is that of every rule of the library."
_NO_PEER_NORM = "There is no peer normalization; vanilla_ff_peer has it."
_FLOOR = (
    "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
    "labels from wrong ones leaves less of the image than random weights do."
)
_CARD = Card(
    title="The Forward-Forward Algorithm: Some Preliminary Investigations",
    authors="Hinton",
    year=2022,
    url="https://arxiv.org/abs/2212.13345",
    source="third party",
    reconstruction=True,
    local="A block learns from its own goodness alone; what the next block reads is detached.",
    published=(Published("mnist", 98.64, "MLP 4 x 2000", "memory"),),
    departures=(_LOSS, _LABEL, _WRONG, _OPTIMIZER, _NO_PEER_NORM),
    remarks=(_FLOOR,),
)
_DEFAULTS = {"backbone": "mlp", "fit.lr": 2e-3}

VANILLA_FF = algorithm(
    "vanilla_ff",
    Recipe(
        terms=(Term("mean_squares", Logistic(threshold=2.0, scale=8.0)),),
        label_embedding=AutoLabel(value=5.0),
        negatives="wrong_label",
        forward_norm="rms",
        fusion=Sum(first=1),
    ),
    summary="Hinton's supervised FF: labels over the input, wrong labels as negatives",
    defaults=_DEFAULTS,
    card=_CARD,
)
VANILLA_FF_HARD = algorithm(
    "vanilla_ff_hard",
    VANILLA_FF.replace(negatives="hard_label", fusion=ConcatLinear(first=1)),
    summary="supervised FF with negatives drawn from a readout, which also predicts in one pass",
    defaults=_DEFAULTS,
    card=dataclasses.replace(
        _CARD,
        local="A block learns from its own goodness alone, but its negatives are drawn from a readout of all blocks.",
        departures=(
            _LOSS,
            _LABEL,
            "The readout that draws the wrong labels and predicts is trained together with the blocks, on "
            "layer-normalized features; how the paper draws them is from memory.",
            _POOLED,
            _OPTIMIZER,
            _NO_PEER_NORM,
        ),
    ),
)
VANILLA_FF_PEER = algorithm(
    "vanilla_ff_peer",
    VANILLA_FF.replace(terms=(*VANILLA_FF.terms, Term("activity", "peer_norm", weight=0.03))),
    summary="supervised FF with peer normalization",
    defaults=_DEFAULTS,
    card=dataclasses.replace(
        _CARD,
        departures=(
            _LOSS,
            _LABEL,
            "The form of the peer normalization, its weight and its average of 0.9 are those of a public "
            "reimplementation (loeweX); of maps it reads the channels' means.",
            _WRONG,
            _OPTIMIZER,
        ),
        remarks=("The average activity is that of a batch, so micro-batches are refused.", _FLOOR),
    ),
)
VANILLA_FF_UNSUP = algorithm(
    "vanilla_ff_unsup",
    VANILLA_FF.replace(label_embedding="none", negatives="hybrid_images", fusion=ConcatLinear(first=1)),
    summary="Hinton's unsupervised FF: hybrid images as negatives, linear readout",
    defaults=_DEFAULTS,
    card=dataclasses.replace(
        _CARD,
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
    ),
)
