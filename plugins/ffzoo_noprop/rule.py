"""NoProp in discrete time (Li, Teh and Pascanu 2025, arXiv:2503.24322).

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

from ffzoo_zoo.noprop_parts import NoProp

__all__ = ["NoProp"]
