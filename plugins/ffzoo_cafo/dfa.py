"""Cascaded forward with blocks trained by direct feedback alignment (Zhao et al. 2023, arXiv:2303.09728).

For block l with detached input and features h_l::

    z       = W^T pool(norm(h_L)) + b         the output layer of ffzoo_dfa, which only teaches
    delta_l = B_l (softmax(z) - onehot(y))    at h_l; B_l fixed and random
    v_l     = V_l^T pool(h_l) + c_l           the predictor of block l
    L_l     = CrossEntropy(v_l, y)            trains the predictor alone
    prediction: the sum over blocks of softmax(v_l)

Predictors send nothing back to their blocks; with frozen blocks the rule is the one of the released code, ``cafo``.
"""

from ffzoo_zoo.cafo_parts import CaFoDFA

__all__ = ["CaFoDFA"]
