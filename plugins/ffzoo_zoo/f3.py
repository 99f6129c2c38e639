"""F3: every sample's output error of the epoch before, through fixed random matrices, teaches every block.

For block l with detached input and features h_l, and sample i in epoch s::

    e_i     = p_i^(s-1) - onehot(y_i)         its output error when it was seen last; p^(0) = 0
    delta_l = B_l e_i                         at h_l; B_l fixed and random
    dW_l    = -lr * mean over the batch of (dh_l / dW_l)^T delta_l
    z       = W^T pool(norm(h_L)) + b         output layer on the last block, trained by its own gradient
    p_i^(s) = softmax(z)                      kept for the next epoch

The error is known before the sample is forwarded, so a block learns as soon as it has been computed. The price is the
memory of p. In the first epoch the credit is the label, as in DRTP.
"""

from __future__ import annotations

from ffzoo.plugin import Card, OutputOptions, algorithm

algorithm(
    "f3",
    ".f3_parts:F3",
    config=OutputOptions,
    summary="a sample's output error of the epoch before, through fixed random matrices",
    card=Card(
        title="Feed-Forward Optimization With Delayed Feedback for Neural Network Training",
        authors="Flügel et al.",
        year=2023,
        url="https://arxiv.org/abs/2304.13372",
        source="code",
        local="No weight of another block enters a block's update, but the output's error of the epoch before does.",
        departures=(
            "The error is that of a softmax output, their delayed_error_softmax; the other delayed signals are not "
            "here.",
            "Units are the backbone's, ReLU in the library's own networks; theirs are tanh.",
            "The feedback matrices are uniform and sqrt(6) times as wide as theirs.",
            "Blocks are normalized for the next one by the library's forward norm.",
            "The output layer has softmax and cross-entropy, and reads maps averaged to 4x4 windows.",
        ),
        remarks=(
            "Below the floor of random features on digits, within a standard deviation: the error that teaches is an "
            "epoch old, and comes through random matrices.",
            "It keeps N x K numbers, N the number of training samples.",
            "With augmentation the error kept is that of another version of the image.",
            "The abstract puts the narrowing of the gap to backprop at up to 56 %; no accuracy of it was at hand.",
        ),
    ),
)
