"""The contract of an algorithm, recipes, and the engine that trains them."""
