"""Contrastive Forward-Forward: two views of every sample, and supervised contrast with a margin in every block.

Two views x, x' of every sample; for block l with detached inputs::

    e_i = W_l^T mean over positions of h_l,i            a learned projection, 2 B embeddings, those of both views
    s_ij = cosine of e_i and e_j
    s_ij <- min(s_ij + m_l, 1)  where y_j = y_i, j != i   margin, from 0.4 in the first block to 0.1 in the last
    L_l = mean over i of the mean over j != i with y_j = y_i of
          -log(exp(s_ij / tau) / sum over k != i of exp(s_ik / tau)),  tau = 0.15
    u_l = LayerNorm(h_l), stop-gradient
    prediction: a linear softmax on the features, fitted when the blocks are done

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing. The paper is in Neural Networks 192.
"""

from typing import Annotated

from annotated_types import Ge, Gt, Interval

from ffzoo.plugin import Card, ProjectionHead, Published, Recipe, Term, algorithm, local_loss, negatives, options


@options
class SecondView:
    """Another view of a sample.

    Attributes:
        shift: images are moved by up to so many pixels in each direction, over their own mirror image.
        flip: mirror every second image left to right.
        noise: standard deviation of Gaussian noise on every input.
    """

    shift: Annotated[int, Ge(0)] = 2
    flip: bool = False
    noise: Annotated[float, Ge(0)] = 0.1


@options
class MarginSupCon:
    """Supervised contrast with a margin for samples of one class.

    Attributes:
        temperature: of the softmax over cosines.
        first: margin of the first block.
        last: margin of the last block; those between lie on a line.
    """

    temperature: Annotated[float, Gt(0)] = 0.15
    first: Annotated[float, Interval(ge=0, lt=2)] = 0.4
    last: Annotated[float, Interval(ge=0, lt=2)] = 0.1


negatives(
    "second_view",
    ".contrastive_ff_parts:SecondView",
    config=SecondView,
    summary="another positive view: images shifted, perhaps mirrored, with noise; vectors with noise",
)
local_loss(
    "margin_supcon",
    ".contrastive_ff_parts:MarginSupCon",
    config=MarginSupCon,
    summary="supervised contrast of two views, with a margin that shrinks with depth",
)

CONTRASTIVE_FF = algorithm(
    "contrastive_ff",
    Recipe(
        terms=(Term(ProjectionHead(width=128), MarginSupCon()),),
        negatives=SecondView(shift=1, noise=0.3),
        forward_norm="auto",
        fusion="probe",
    ),
    summary="supervised contrast of two views in every block, read by a probe",
    card=Card(
        title="Contrastive Forward-Forward: A Training Algorithm of Vision Transformer",
        authors="Aghagolzadeh and Ezoji",
        year=2025,
        url="https://arxiv.org/abs/2502.00571",
        source="code",
        local="A block learns from the likeness of its own features in a batch; the probe sends nothing back.",
        published=(Published("cifar10", 85.4, "vision transformer (5 blocks in the code)", "third party"),),
        departures=(
            "One view is the sample as training gives it, and only the second is augmented by the rule; theirs "
            "augments both, by large crops and flips.",
            "Images are moved by a pixel and get noise; vectors get noise alone.",
            "Samples are compared by a learned projection of their features to 128 numbers; the authors' code compares "
            "the features themselves, which terms.0.goodness.width=0 does.",
            "The probe reads pooled features of all blocks and is fitted by L-BFGS; theirs is a layer norm and a "
            "linear layer on the last block, trained for 50 epochs.",
            "Blocks are the backbone's, normalized for the next one by the library's forward norm; theirs are a "
            "transformer's, with norms inside.",
        ),
        remarks=(
            "The contrast couples the samples of a batch, so micro-batches are refused.",
            "The published figure is from a leaderboard's entry of the paper.",
        ),
    ),
)
