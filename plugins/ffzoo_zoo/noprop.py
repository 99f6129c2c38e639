"""NoProp in discrete time: every block learns to denoise the label, and the prediction is the chain of denoisers.

T blocks, u = onehot(y), and a label z_t with ever less noise, from z_0, which knows nothing, to z_T::

    A_t    = sin(pi t / (2 (T + 1)))^2,  S_t = A_t / (1 - A_t)      share of the signal, and its ratio to the noise
    z_t    ~ N(sqrt(A_t) u, 1 - A_t)                                in training, drawn for each t by itself
    p_t(z) = softmax(mlp_t(pool(h_t), z))                           the label that block t, with features h_t, sees in z
    L_t    = T/2 eta (S_t - S_(t-1)) norm(p_t(z_(t-1)) - u)^2       teaches block t and mlp_t
    L_out  = CrossEntropy(W z_T + b, y)

    prediction: W z_T + b,  z_0 = 0,  z_t = a_t p_t(z_(t-1)) + b_t z_(t-1),  with r_t = A_(t-1) / A_t
    a_t    = sqrt(A_t) (1 - r_t) / (1 - A_(t-1)),  b_t = sqrt(r_t) (1 - A_t) / (1 - A_(t-1))

In training no block reads what a denoiser made. In the prediction z_t is the mean of the process's q(z_t | z_(t-1), u)
with p_t in the place of u.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Gt

from ffzoo.plugin import Card, Published, algorithm, options


@options
class NoProp:
    """One denoiser per block.

    Attributes:
        forward_norm: name of the normalization of what a block reads of the block before; ``"auto"`` is ``layernorm``
            between native blocks and ``none`` in a model that brings norms of its own.
        grid: pooling windows per side to which maps are averaged for the denoiser; ``"all"`` keeps every position.
        width: hidden units of a denoiser.
        eta: weight of the denoising losses.
    """

    forward_norm: str = "auto"
    grid: Annotated[int, Ge(1)] | Literal["all"] = 4
    width: Annotated[int, Ge(1)] = 128
    eta: Annotated[float, Gt(0)] = 0.1


_NETWORK = "10 blocks"

algorithm(
    "noprop",
    ".noprop_parts:NoProp",
    config=NoProp,
    summary="every block learns to denoise a noisy label; the prediction is the chain of denoisers",
    card=Card(
        title="NoProp: Training Neural Networks without Back-propagation or Forward-propagation",
        authors="Li, Teh and Pascanu",
        year=2025,
        url="https://arxiv.org/abs/2503.24322",
        source="third party",
        reconstruction=True,
        local="A block learns to denoise the label from its own features; blocks exchange detached features only.",
        published=(
            Published("mnist", 99.54, _NETWORK, "abstract"),
            Published("cifar10", 80.54, _NETWORK, "abstract"),
            Published("cifar100", 46.06, _NETWORK, "abstract"),
        ),
        departures=(
            "Block t reads the detached features of block t-1; theirs all read the image, so that none waits for "
            "another.",
            "The denoiser is a network of one hidden layer on pooled features and the noisy label.",
            "There are as many steps as blocks; theirs are ten.",
            "All blocks learn at every step.",
            "The label's embedding is its one-hot vector; theirs may be learned, with a divergence to the prior beside "
            "it.",
            "The noise follows a squared sine of t / (T + 1), which keeps the last signal-to-noise ratio finite.",
            "The prediction follows the mean of the chain from z_0 = 0; theirs draws z_0 and every step's noise.",
            "The coefficients of the chain were derived anew from the noise process.",
        ),
        remarks=(
            "Below the floor of random features on digits: every block denoises with the image in front of it, so "
            "three blocks are three shallow networks.",
        ),
    ),
)
