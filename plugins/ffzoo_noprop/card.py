"""The card of NoProp."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

_NETWORK = "10 blocks"

NOPROP = Card(
    title="NoProp: Training Neural Networks without Back-propagation or Forward-propagation",
    authors="Li, Teh and Pascanu",
    year=2025,
    url="https://arxiv.org/abs/2503.24322",
    source="third party",
    reconstruction=True,
    local="A block learns to denoise the label from its own features; blocks exchange detached features only.",
    published=(
        Published("mnist", 99.54, _NETWORK, "abstract"),
        Published("cifar10", 80.54, _NETWORK, "abstract"),
        Published("cifar100", 46.06, _NETWORK, "abstract"),
    ),
    departures=(
        "Block t reads the detached features of block t-1; theirs all read the image, so that none waits for another.",
        "The denoiser is a network of one hidden layer on pooled features and the noisy label.",
        "There are as many steps as blocks; theirs are ten.",
        "All blocks learn at every step.",
        "The label's embedding is its one-hot vector; theirs may be learned, with a divergence to the prior beside it.",
        "The noise follows a squared sine of t / (T + 1), which keeps the last signal-to-noise ratio finite.",
        "The prediction follows the mean of the chain from z_0 = 0; theirs draws z_0 and every step's noise.",
        "The coefficients of the chain were derived anew from the noise process.",
    ),
    remarks=(
        "Below the floor of random features on digits: every block denoises with the image in front of it, so three "
        "blocks are three shallow networks.",
    ),
)
