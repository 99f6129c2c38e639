"""The card of direct random target projection."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

DRTP = Card(
    title="Learning Without Feedback: Fixed Random Learning Signals Allow for Feedforward Training of Deep Neural "
    "Networks",
    authors="Frenkel, Lefebvre and Bol",
    year=2019,
    url="https://arxiv.org/abs/1909.01311",
    source="code",
    local="A block learns from the label and a random matrix of its own; nothing comes back from later blocks.",
    published=(
        Published("cifar10", 70.0, "two frozen random convolutions, 2000 tanh units", "code", "about, augmented"),
    ),
    departures=(
        "The tanh stands behind the block, whose own units are the backbone's, ReLU in the library's networks.",
        "The output layer has softmax and cross-entropy; theirs by default a logistic loss a class.",
        "Blocks are normalized for the next one by the library's forward norm.",
        "A block's gradient is a mean over the batch; theirs is a sum.",
        "The optimizer is that of every rule of the library; theirs is momentum with a rate of 1e-4.",
        "The output layer reads maps averaged to 4x4 windows.",
    ),
    remarks=(
        "Below the floor of random features on digits: the label drives every block through a random matrix, however "
        "right the prediction already is.",
        "The command that comes with the code for CIFAR-10 leaves convolutions as they were initialized.",
        "A feedback matrix has a number for every feature and class: large for large maps and many classes.",
    ),
)
