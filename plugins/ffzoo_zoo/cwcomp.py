"""Channel-wise competition: the energy of a class's own group of channels is its score.

The channels of a block are divided into one group per class. For block l with detached input x_l::

    u_l = BatchNorm(h_l)                                                  what block l + 1 reads too, detached
    g_k = mean of u_l^2 over the channels of group k and all positions
    L_CwC = -log(exp(g_y) / sum_k exp(g_k)), g clamped to +-50            cwcomp
    L_PvN = (softplus(theta - g_y) + softplus(mean_(k != y) g_k - theta)) / 2    cwcomp_pvn, theta = 2
    L_CWG = 0.28 L_CwC + 0.72 L_PvN                                       cwcomp_cwg
    block l trains from the start to 0.44 + 0.56 l / (L - 1) of the epochs
    prediction: the last block's scores

Presented at AAAI 2024.
"""

from dataclasses import replace

from ffzoo.plugin import Card, Projection, Published, Recipe, Term, Windows, algorithm, local_loss, options


@options
class PositiveAgainstNegatives:
    """The right class above a threshold, the mean of the others below it.

    Attributes:
        threshold: theta.
    """

    threshold: float = 2.0


local_loss(
    "positive_against_negatives",
    ".cwcomp_parts:PositiveAgainstNegatives",
    config=PositiveAgainstNegatives,
    summary="mean of softplus(theta - g_y) and softplus(mean of the other g - theta)",
)

_NET = "four convolutions, 20-80-240-480 channels on CIFAR-10"
_CARD = Card(
    title="Convolutional Channel-wise Competitive Learning for the Forward-Forward Algorithm",
    authors="Papachristodoulou et al.",
    year=2023,
    url="https://arxiv.org/abs/2312.12668",
    source="code",
    local="A block learns from the competition of its own channel groups, which are read behind its batch norm.",
    published=(
        Published("mnist", 99.42, _NET, "repository"),
        Published("fashion_mnist", 92.31, _NET, "repository"),
        Published("cifar10", 78.11, _NET, "repository", "a user of the code reports about 75"),
        Published("cifar100", 51.23, _NET, "repository"),
    ),
    departures=(
        "Convolutions are not grouped: theirs have one group a class in every second block.",
        "Batch norms have no gain and bias, and the goodness is read in front of a max-pool, theirs behind it.",
        "Goodness is clamped to +-50 as in their own loss; the default of their code is a plain cross-entropy.",
        "The windows of the schedule are those of the authors' CIFAR-10 run, as parts of the training.",
        "The prediction is the class of the last block's largest goodness; they train a softmax layer on it besides.",
    ),
)
_ENERGY = Projection(power=2, grid=1, projection="groups", temperature=1.0, clamp=50.0)
_DEFAULTS = {"fit.lr": 0.01}

CWCOMP = algorithm(
    "cwcomp",
    Recipe(
        terms=(Term(_ENERGY, "cross_entropy"),),
        goodness_norm="batchnorm",
        forward_norm="batchnorm",
        schedule=Windows(first=0.44),
        fusion="last",
    ),
    summary="mean energy of one channel group per class, cross-entropy, blocks stop one after the other",
    card=_CARD,
    defaults=_DEFAULTS,
)
CWCOMP_PVN = algorithm(
    "cwcomp_pvn",
    CWCOMP.replace(terms=(Term(_ENERGY, PositiveAgainstNegatives()),)),
    summary="the same energies, the right one against the mean of the others",
    card=replace(_CARD, published=()),
    defaults=_DEFAULTS,
)
CWCOMP_CWG = algorithm(
    "cwcomp_cwg",
    CWCOMP.replace(
        terms=(Term(_ENERGY, "cross_entropy", weight=0.28), Term(_ENERGY, PositiveAgainstNegatives(), weight=0.72))
    ),
    summary="both of these losses, weighted",
    card=replace(_CARD, published=()),
    defaults=_DEFAULTS,
)
