"""Self-contrastive Forward-Forward: no labels; a sample beside itself against a sample beside another one.

For block l, with detached inputs and at each position p of its map, x' being another sample of the batch::

    x+ = x + x,  x- = x + x'                    two inputs through the same weights: W x + W x' = W (x + x')
    G_p = mean over channels of h_p^2           goodness
    L = mean over p of softplus(a (theta+ - G+_p)) + softplus(b (G-_p - theta-)),  plus lambda ||G+||_2
    u = LayerNorm(h) over channels and positions, stop-gradient
    schedule: one block after the other
    prediction: a linear softmax on the features of x + x, fitted when the blocks are done

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from typing import Annotated

from annotated_types import Ge, Gt

from ffzoo.plugin import Card, Published, Recipe, Term, algorithm, goodness, local_loss, negatives, options


@options
class TwoThresholds:
    """Logistic losses of the two views, each with a threshold and a scale of its own.

    Attributes:
        positive: theta+, which the positive view's goodness should exceed.
        negative: theta-, which the negative view's goodness should stay below.
        positive_scale: a, factor of the positive view's distance to its threshold.
        negative_scale: b, factor of the negative view's.
        penalty: lambda, weight of the norm of the positive view's goodness.
    """

    positive: float = 1.0
    negative: float = 2.0
    positive_scale: Annotated[float, Gt(0)] = 1.0
    negative_scale: Annotated[float, Gt(0)] = 1.0
    penalty: Annotated[float, Ge(0)] = 0.001


goodness("energy_map", ".scff_parts:EnergyMap", summary="mean of h^2 over the channels at each position")
local_loss(
    "two_thresholds",
    ".scff_parts:TwoThresholds",
    config=TwoThresholds,
    summary="softplus(a (theta+ - G+)) + softplus(b (G- - theta-)), mean over positions, plus the norm of G+",
)
negatives(
    "self_concatenation",
    ".scff_parts:SelfConcatenation",
    summary="positive: x beside x, negative: x beside another sample, through shared weights",
)

SCFF = algorithm(
    "scff",
    Recipe(
        terms=(Term("energy_map", TwoThresholds()),),
        negatives="self_concatenation",
        forward_norm="layernorm",
        schedule="greedy",
        fusion="probe",
    ),
    summary="self-contrast: a sample with itself against a sample with another, read by a probe",
    card=Card(
        title="Self-Contrastive Forward-Forward Algorithm",
        authors="Chen et al.",
        year=2024,
        url="https://arxiv.org/abs/2409.11593",
        source="code",
        local="A block learns from its own goodness alone, without labels; the probe sends nothing back.",
        published=(
            Published("mnist", 98.7, "MLP, two layers of 2000", "repository"),
            Published("cifar10", 80.75, "three convolutions, 96-384-1536", "repository"),
            Published("stl10", 77.3, "four convolutions, 96-384-1536-6144", "repository"),
        ),
        departures=(
            "All blocks have one pair of thresholds and one penalty; theirs were searched block by block.",
            "What goes on is the backbone's ReLU; theirs is relu(a - mean of a over channels), another activation than "
            "the one whose goodness is trained.",
            "Two samples meet in front of the first block alone; while their last convolution is trained, and for the "
            "probe, every convolution pairs its inputs anew.",
            "Images are standardized by the training part's statistics; theirs each by its own, before they are "
            "paired.",
            "The bias counts once; in their fully connected layers, and in convolutions that read pairs, it counts "
            "twice.",
            "The probe reads pooled features of all blocks, standardized over the training part, and is fitted by "
            "L-BFGS; theirs standardizes them sample by sample and is trained with dropout.",
        ),
        remarks=(
            "Level with the floor of random features on digits: what its blocks learn without labels does not show "
            "there.",
        ),
    ),
)
