"""PEPITA: a second forward pass, with the output's error on the input, takes the place of a backward pass.

Two forward passes, the second with the output's error on the input; x_1 = x, x'_1 = x'::

    e    = softmax(z) - onehot(y)             of the first pass
    x'   = x + F e                            F fixed and random
    dW_l = -lr * mean over the batch of ((h_l - h'_l) * f'(a'_l)) x'_l^T
    dW   = -lr * mean over the batch of (softmax(z') - onehot(y)) u'^T         output layer, u' what it reads

h_l are the features of block l in the first pass, h'_l in the second, x'_l what block l reads in the second. No
backward pass: in the second one a block learns as soon as it has been computed. The first pass's features of all
blocks are kept for that.
"""

from typing import Annotated

from annotated_types import Gt

from ffzoo.plugin import Card, OutputOptions, Published, algorithm, options


@options
class PEPITA(OutputOptions):
    """An output layer, and how far the error moves the input.

    Attributes:
        scale: of the matrix that carries the error to the input, uniform in +-scale * sqrt(6 / number of inputs).
    """

    scale: Annotated[float, Gt(0)] = 0.05


algorithm(
    "pepita",
    ".pepita_parts:PEPITA",
    config=PEPITA,
    summary="a second pass with the error on the input; a block learns how its features changed",
    card=Card(
        title="Error-driven Input Modulation: Solving the Credit Assignment Problem without a Backward Pass",
        authors="Dellaferrera and Kreiman",
        year=2022,
        url="https://arxiv.org/abs/2201.11665",
        source="code",
        local="No weight of another block enters a block's update, but the output's error does, by way of the input.",
        published=(
            Published("mnist", 98.29, "the paper's best", "memory"),
            Published("cifar10", 56.33, "the paper's best", "memory"),
            Published("cifar100", 27.56, "the paper's best", "memory"),
        ),
        departures=(
            "The change of a block's features is taken back through its own units, so that one which is silent in the "
            "second pass does not learn; theirs enters at the weights as it is.",
            "A block of several layers is taught at its output and learns through its own layers by autograd.",
            "A convolution's update is summed over positions; theirs is averaged.",
            "Blocks are normalized for the next one by the library's forward norm.",
            "There are biases, and no dropout unless the backbone has it; masks are the same in both passes, as "
            "theirs.",
            "The optimizer is that of every rule of the library; theirs is momentum with a rate that decays in steps.",
            "The output layer reads maps averaged to 4x4 windows.",
        ),
    ),
)
