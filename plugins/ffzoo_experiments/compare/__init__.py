"""Anyone's own comparison."""
