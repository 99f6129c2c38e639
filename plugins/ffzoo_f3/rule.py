"""Feed-forward with delayed feedback (Flügel et al. 2023, arXiv:2304.13372).

For block l with detached input and features h_l, and sample i in epoch s::

    e_i     = p_i^(s-1) - onehot(y_i)         its output error when it was seen last; p^(0) = 0
    delta_l = B_l e_i                         at h_l; B_l fixed and random
    dW_l    = -lr * mean over the batch of (dh_l / dW_l)^T delta_l
    z       = W^T pool(norm(h_L)) + b         output layer on the last block, trained by its own gradient
    p_i^(s) = softmax(z)                      kept for the next epoch

The error is known before the sample is forwarded, so a block learns as soon as it has been computed. The price is a
memory of N x K numbers, N the number of training samples. In the first epoch the credit is the label, as in DRTP.
"""

from ffzoo_zoo.f3_parts import F3

__all__ = ["F3"]
