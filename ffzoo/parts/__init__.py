"""The primitives that algorithms share: goodness, losses, negatives, label embeddings, norms, fusions."""
