"""Stochastic Forward-Forward: noisy copies of a sample should span few dimensions, all samples many.

No negatives: a sample x and a copy x' with noise. For block l with detached inputs, features h and h' ``(C, P)`` at P
positions::

    ED(X) = tr(C)^2 / (sum of C_ij^2 + 1e-6),  C = X X^T / (M - 1)         X (C, M): effective dimensionality
    x'    = x with a fifth of its inputs dropped
    L_l   = 1/2 mean over the batch of ED([h, h'])  -  1/2 ED(all (h + h') / 2 of the batch)
    u_l   = BatchNorm(h_l) without scale and shift, stop-gradient
    prediction: a linear softmax on the features, fitted when the blocks are done

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from typing import Annotated

from annotated_types import Ge, Interval

from ffzoo.plugin import Card, Recipe, Term, algorithm, goodness, local_loss, negatives, options


@options
class NoisyCopy:
    """A copy with noise.

    Attributes:
        drop: share of the inputs that become 0; the others are enlarged to the same mean.
    """

    drop: Annotated[float, Interval(ge=0, lt=1)] = 0.2


@options
class Dimensionality:
    """Two effective dimensionalities against each other.

    Attributes:
        within: weight of the dimensionality within the copies of a sample, which becomes small.
        between: weight of the dimensionality of the batch, which becomes large.
    """

    within: Annotated[float, Ge(0)] = 0.5
    between: Annotated[float, Ge(0)] = 0.5


goodness("responses", ".stochastic_ff_parts:Responses", summary="the features themselves, flat")
negatives(
    "noisy_copy",
    ".stochastic_ff_parts:NoisyCopy",
    config=NoisyCopy,
    summary="another positive view: the sample with some of its inputs dropped",
)
local_loss(
    "dimensionality",
    ".stochastic_ff_parts:Dimensionality",
    config=Dimensionality,
    summary="effective dimensionality within the copies of a sample, less that of the batch",
)

STOCHASTIC_FF = algorithm(
    "stochastic_ff",
    Recipe(
        terms=(Term("responses", Dimensionality()),),
        negatives=NoisyCopy(),
        forward_norm="batchnorm",
        fusion="probe",
    ),
    summary="few dimensions for noisy copies, many for all samples, read by a probe",
    card=Card(
        title="Stochastic Forward-Forward Learning through Representational Dimensionality Compression",
        authors="Zhu et al.",
        year=2025,
        url="https://arxiv.org/abs/2505.16649",
        source="code",
        local="A block learns from its own features, of copies and of a batch; the probe sends nothing back.",
        departures=(
            "A sample has one noisy copy beside itself; theirs has 20 noisy copies and none without noise.",
            "The prediction is made of the sample without noise; theirs averages the squared outputs of the noisy "
            "copies.",
            "The norm between blocks has the statistics of each view; theirs has those of all copies together.",
            "The first block reads standardized images; theirs has a batch norm there as well.",
            "Blocks are the backbone's; theirs are three convolutions of 96, 384 and 1536 channels, the last two "
            "depthwise separable. Flat features, which their code does not have, are one position.",
            "The probe reads pooled features of all blocks and is fitted by L-BFGS; theirs is a linear layer on the "
            "last block's features, trained with dropout.",
            "Published accuracies were not at hand.",
        ),
        remarks=(
            "Below the floor of random features on digits and on MNIST with an MLP: neither dimensionality sees a "
            "label, and two copies of flat features span no more than a plane, whatever the block learns. With a "
            "small CNN on Fashion-MNIST, whose positions count too, it is level with the floor.",
            "The dimensionality of a batch is no mean over its samples, so micro-batches are refused.",
        ),
    ),
)
