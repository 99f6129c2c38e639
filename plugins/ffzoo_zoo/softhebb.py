"""SoftHebb: Hebbian learning with a soft winner-take-all in every layer, without labels.

In every layer with weights, at every position, for its input x and its outputs u::

    u_k  = w_k . x                            plus the bias, which stays what it was: zero in the library's networks
    y_k  = softmax(beta u)_k for the largest u_k, -softmax(beta u)_k for all others
    D_k  = sum over samples and positions of y_k (x - u_k w_k)
    w_k += lr * sqrt(abs(norm(w_k) - 1)) * D_k / max over the layer of abs(D)

The winner turns towards its input and all others turn away from it; norms go to 1, and there learning ends. No label
and no other layer enters. After training a linear probe is fitted to the blocks' features.
"""

from typing import Annotated

from annotated_types import Ge, Gt

from ffzoo.plugin import Card, Published, algorithm, options


@options
class SoftHebb:
    """A Hebbian rule and its probe.

    Attributes:
        forward_norm: name of the normalization of what a block reads of the block before; ``"auto"`` is ``layernorm``
            between native blocks and ``none`` in a model that brings norms of its own.
        inverse_temperature: beta of the competition's softmax.
        radius: norm that every unit's weights start with; 0 leaves them as they are. The rule draws it to 1.
        grid: pooling windows per side of the probe.
    """

    forward_norm: str = "auto"
    inverse_temperature: Annotated[float, Gt(0)] = 4.0
    radius: Annotated[float, Ge(0)] = 5.0
    grid: Annotated[int, Ge(1)] = 2


_NETWORK = "up to five hidden layers, linear classifier"

algorithm(
    "softhebb",
    ".softhebb_parts:SoftHebb",
    config=SoftHebb,
    summary="Hebbian soft winner-take-all in every layer, without labels; a linear probe reads it",
    defaults={"fit.lr": 0.05},
    card=Card(
        title="Hebbian Deep Learning Without Feedback",
        authors="Journé et al.",
        year=2022,
        url="https://arxiv.org/abs/2209.11883",
        source="code",
        local="A layer learns from its own input and outputs, without labels; the probe sends nothing back.",
        published=(
            Published("mnist", 99.4, _NETWORK, "abstract"),
            Published("cifar10", 80.3, _NETWORK, "abstract"),
            Published("stl10", 76.2, _NETWORK, "abstract"),
            Published("imagenet", 27.3, _NETWORK, "abstract"),
        ),
        departures=(
            "Units are the backbone's, ReLU in the library's networks; theirs subtract their mean and have a power.",
            "Weights start at the norm 5 and learn for all epochs; theirs at about 25, and for one.",
            "The inverse temperature is 4 in every layer; theirs is 1, 0.65 and 0.25 in convolutions, 12 in an MLP.",
            "All blocks have one learning rate; theirs differ from layer to layer.",
            "Blocks are normalized for the next one by the library's forward norm; theirs have batch norm.",
            "The probe reads pooled features of all blocks and is fitted by L-BFGS; theirs reads the last, with "
            "dropout.",
            "In a block of several layers each layer learns by itself; norm layers and biases stay as they were.",
        ),
        remarks=(
            "On digits half a point below the floor of random features with the same probe, half a standard "
            "deviation: what it learns without labels does not show there. With a CNN on Fashion-MNIST 3.8 points "
            "above.",
            "Until the probe is fitted, after the last epoch, it predicts nothing.",
        ),
    ),
)
