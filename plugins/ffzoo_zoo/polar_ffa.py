"""Polar-FFA: half of a block's units speak for positive samples, half for negative ones.

For block l with detached input, its units split in a positive and a negative half::

    g+_l = mean of h_l^2 over the positive units, g-_l over the negative ones
    G_l = g+_l - g-_l                                    goodness
    p(positive) = sigmoid(s G_l)
    L_l = mean of -log p(positive) of positive samples and -log (1 - p(positive)) of negative ones
    u_l = h_l / rms(h_l), stop-gradient                  what block l + 1 reads
    prediction: the label with the highest sum of G_l over the blocks

Each half must be active for its own kind of sample: nothing has to fall silent, and there is no threshold to set. With
``goodness.by=ratio`` and ``loss.scale=1``, p = g+ / (g+ + g-).
"""

from typing import Literal

from ffzoo.plugin import AutoLabel, Card, Logistic, Recipe, Term, algorithm, goodness, options


@options
class Polar:
    """How the two groups' energies are compared.

    Attributes:
        by: their difference, or the difference of their logarithms: then sigmoid(G) = g+ / (g+ + g-).
    """

    by: Literal["difference", "ratio"] = "difference"


goodness(
    "polar",
    ".polar_ffa_parts:Polar",
    config=Polar,
    summary="energy of one half of the units against that of the other",
)

POLAR_FFA = algorithm(
    "polar_ffa",
    Recipe(
        terms=(Term(Polar(by="difference"), Logistic(threshold=0.0, scale=8.0)),),
        label_embedding=AutoLabel(value=5.0),
        negatives="wrong_label",
        forward_norm="rms",
        fusion="sum",
    ),
    summary="supervised FF with a group of units for positive samples and one for negative ones",
    defaults={"backbone": "mlp", "fit.lr": 2e-3},
    card=Card(
        title="On the Improvement of Generalization and Stability of Forward-Only Learning via Neural Polarization",
        authors="Terres-Escudero, Del Ser and Garcia-Bringas",
        year=2024,
        url="https://arxiv.org/abs/2408.09210",
        source="abstract",
        reconstruction=True,
        local="A block learns from its own goodness alone; what the next block reads is detached.",
        departures=(
            "Only the abstract and a short description were at hand; the paper compares several activations and "
            "goodness functions, here are ReLU and the mean of squares.",
            "Which units are positive is fixed: the first half, rounded down.",
            "The scale of the logistic loss, the label's height of 5 and the norm are those of vanilla_ff in this "
            "library.",
        ),
        remarks=(
            "Below the floor of random features on digits, and a probe of its features stays below it too: telling "
            "right labels from wrong ones leaves less of the image than random weights do.",
            "Published: more accurate and faster to converge than Forward-Forward with several activations and "
            "goodness functions (abstract); the figures could not be read.",
        ),
    ),
)
