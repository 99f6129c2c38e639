"""The card of F3."""

from __future__ import annotations

from ffzoo.registry.cards import Card

F3 = Card(
    title="Feed-Forward Optimization With Delayed Feedback for Neural Network Training",
    authors="Flügel et al.",
    year=2023,
    url="https://arxiv.org/abs/2304.13372",
    source="code",
    local="No weight of another block enters a block's update, but the output's error of the epoch before does.",
    departures=(
        "The error is that of a softmax output, their delayed_error_softmax; the other delayed signals are not here.",
        "Units are the backbone's, ReLU in the library's own networks; theirs are tanh.",
        "The feedback matrices are uniform and sqrt(6) times as wide as theirs.",
        "Blocks are normalized for the next one by the library's forward norm.",
        "The output layer has softmax and cross-entropy, and reads maps averaged to 4x4 windows.",
    ),
    remarks=(
        "Below the floor of random features on digits, within a standard deviation: the error that teaches is an "
        "epoch old, and comes through random matrices.",
        "It keeps N x K numbers, N the number of training samples.",
        "With augmentation the error kept is that of another version of the image.",
        "The abstract puts the narrowing of the gap to backprop at up to 56 %; no accuracy of it was at hand.",
    ),
)
