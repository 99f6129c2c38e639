"""SoftHebb (Journé, Garcia Rodriguez, Guo and Moraitis, ICLR 2023, arXiv:2209.11883).

In every layer with weights, at every position, for its input x and its outputs u::

    u_k  = w_k . x                            plus the bias, which stays what it was: zero in the library's networks
    y_k  = softmax(beta u)_k for the largest u_k, -softmax(beta u)_k for all others
    D_k  = sum over samples and positions of y_k (x - u_k w_k)
    w_k += lr * sqrt(abs(norm(w_k) - 1)) * D_k / max over the layer of abs(D)

The winner turns towards its input and all others turn away from it; norms go to 1, and there learning ends. No label
and no other layer enters. After training a linear probe is fitted to the blocks' features.

Published, with a linear classifier: 99.4 % on MNIST, 80.3 % on CIFAR-10, 76.2 % on STL-10, 27.3 % on ImageNet (the
abstract).
"""

from ffzoo_zoo.softhebb_parts import SoftHebb

__all__ = ["SoftHebb"]
