"""Direct feedback alignment: the output's error goes straight to every block, through fixed random matrices.

For block l with detached input, its pre-activation a_l and features h_l = f(a_l)::

    z       = W^T pool(norm(h_L)) + b         output layer on the last block, trained by its own gradient
    e       = softmax(z) - onehot(y)          the error of the output
    delta_l = (B_l e) * f'(a_l)               B_l fixed and random
    dW_l    = -lr * mean over the batch of delta_l x_l^T

Backprop would have the transposed weights of all later blocks in the place of B_l. In a block of several layers
delta at h_l is taken back through the block itself.

No block learns before the output's error is there, so there is nothing to do inside the forward walk: every block's
graph is kept until its end.
"""

from ffzoo.plugin import Card, OutputOptions, Published, algorithm

algorithm(
    "dfa",
    ".dfa_parts:DFA",
    config=OutputOptions,
    summary="the output's error, through fixed random matrices, is every block's gradient",
    card=Card(
        title="Direct Feedback Alignment Provides Learning in Deep Neural Networks",
        authors="Nøkland",
        year=2016,
        url="https://arxiv.org/abs/1609.01596",
        source="third party",
        reconstruction=True,
        local="No weight of another block enters a block's update, but the output's error does, and blocks wait for "
        "it.",
        published=(
            Published("mnist", 98.55, "fully connected, with dropout", "abstract"),
            Published(
                "cifar10", 67.84, "ResNet-20, with Adam", "third party", "BioTorch's benchmark; its backprop: 89.99"
            ),
        ),
        departures=(
            "The formula was read in the code that comes with DRTP, which has DFA as a baseline, not in the paper.",
            "Units are the backbone's, ReLU in the library's own networks.",
            "Blocks are normalized for the next one by the library's forward norm.",
            "A block of several layers is taught at its output and learns through its own layers by autograd.",
            "The output layer reads maps averaged to 4x4 windows.",
        ),
        remarks=("A feedback matrix has a number for every feature and class: large for large maps and many classes.",),
    ),
)
