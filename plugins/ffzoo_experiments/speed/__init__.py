"""What a training step costs, for every way to run it."""
