"""AugLocal: every block learns through a small network of its own, whose layers are shaped like later blocks.

For block l with detached input x_l::

    h_l = block_l(x_l)
    z_l = aux_l(h_l)                 layers shaped like later blocks, sampled evenly, then a linear classifier; learned
    L_l = CrossEntropy(z_l, y)
    prediction: z_L, the linear classifier of the last block; all other auxiliary networks are thrown away

The nearer a block is to the end, the fewer layers its network has. The sampling and this pyramid are those of the
authors' code; a layer is not. Presented at ICLR 2024.
"""

from typing import Annotated

from annotated_types import Ge, Interval

from ffzoo.plugin import Card, Recipe, Term, algorithm, goodness, options


@options
class SampledBlocks:
    """An auxiliary network of layers shaped like later blocks, and a linear classifier.

    Attributes:
        layers: of the first block's network; no block has more than there are blocks behind it.
        pyramid: by how much the number of layers falls up to the last block but one: 0 not at all, 1 to a single layer.
        grid: windows per side to which maps are averaged for the classifier; 1 is global average pooling.
    """

    layers: Annotated[int, Ge(1)] = 3
    pyramid: Annotated[float, Interval(ge=0, le=1)] = 0.5
    grid: Annotated[int, Ge(1)] = 1


goodness(
    "sampled_blocks",
    ".auglocal_parts:SampledBlocks",
    config=SampledBlocks,
    summary="a learned network of layers shaped like later blocks, sampled evenly, and a classifier",
)

AUGLOCAL = algorithm(
    "auglocal",
    Recipe(terms=(Term(SampledBlocks(), "cross_entropy"),), forward_norm="auto", fusion="last"),
    summary="auxiliary networks sampled from the shapes of later blocks; the last block predicts",
    card=Card(
        title="Scaling Supervised Local Learning with Augmented Auxiliary Networks",
        authors="Ma et al.",
        year=2024,
        url="https://arxiv.org/abs/2402.17318",
        source="code",
        local="A block learns from an auxiliary network of its own, which knows the later blocks' shapes but no "
        "weights.",
        departures=(
            "A layer of an auxiliary network is a 3x3 convolution, a norm over the sample and a ReLU; theirs is one of "
            "the network's residual blocks, with batch norm.",
            "Where a sampled block has a smaller map, its input is averaged to that size; theirs has a stride.",
            "Blocks are normalized for the next one by the library's forward norm; theirs have batch norm.",
        ),
    ),
)
