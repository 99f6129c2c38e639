"""DeeperForward: the mean activity of a class's own group of channels is its goodness.

The channels of a block are divided into one group per class. For block l with detached input x_l::

    h_l = ReLU(Conv_l(x_l))
    g_k = mean of h_l over the channels of group k and all positions       the goodness of class k, power 1
    L_l = CrossEntropy(g, y)
    u_l = GroupNorm(h_l), stop-gradient                                    after the goodness was read
    prediction: the sum over the range of blocks that is best on the validation part

Presented at ICLR 2025.
"""

from ffzoo.plugin import Card, GroupNorm, Projection, Published, Recipe, Term, algorithm

_NET = "ResNet of 17 layers, planes 100-200-400-800"

DEEPERFORWARD = algorithm(
    "deeperforward",
    Recipe(
        terms=(Term(Projection(power=1, grid=1, projection="groups", temperature=1.0), "cross_entropy"),),
        forward_norm=GroupNorm(),
        fusion="best_range",
    ),
    summary="mean activity of one channel group per class, group norm between blocks",
    card=Card(
        title="DeeperForward: Enhanced Forward-Forward Training for Deeper and Better Performance",
        authors="Sun et al.",
        year=2025,
        url="https://openreview.net/forum?id=kOYnXVQCtA",
        source="code",
        local="A block learns from the cross-entropy of its own channel groups.",
        published=(
            Published("mnist", 99.63, _NET, "repository"),
            Published("fashion_mnist", 93.13, _NET, "repository"),
            Published("cifar10", 86.22, _NET, "repository"),
            Published("cifar100", 53.09, _NET, "repository", "60.28 with a wider network"),
        ),
        departures=(
            "The code that was read is a modified copy by a third party.",
            "The detached shortcuts between their blocks are not here, nor their layer norm of the input.",
            "The group norm has as many groups as its option says and as divide the channels, theirs one a class.",
        ),
        remarks=(
            "Below the floor of random features on digits, and so is a probe of its features: a class has the plain "
            "mean of 20 units, which are all pushed the same way.",
            "The sum of log softmax(g) over blocks orders the classes as their sum of g does.",
        ),
    ),
)
