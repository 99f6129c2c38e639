"""The torch code of :mod:`ffzoo_zoo.dfa`."""

from __future__ import annotations

from ffzoo.plugin import Backbone, Batch, BlockwiseAlgorithm, Feedback, FitOptions, OutputLayer, OutputOptions, Step


class DFA(BlockwiseAlgorithm):
    """Blocks that learn from the output's error alone.

    Attributes:
        output: W and b.
        feedback: the matrices B_l.
    """

    has_losses = False
    coupling = "feedback"

    def __init__(self, backbone: Backbone, num_classes: int, config: OutputOptions, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.output = OutputLayer(backbone.feature_shapes, num_classes, config.grid, fit.label_smoothing)
        self.feedback = Feedback(backbone.feature_shapes, num_classes)

    def learn(self, chunk: Batch, step: Step) -> None:
        """Walk to the output, and send its error to every block."""
        h = self.block_features(chunk.x)
        p = self.output.learn(self.norms[-1](h[-1].detach()), chunk.y, step)
        e = p - self.output.target(chunk.y)
        for l, h_l in enumerate(h):
            step.teach(l, h_l, self.feedback(l, e, h_l))  # autograd takes it through f, which gives the factor f'(a_l)
