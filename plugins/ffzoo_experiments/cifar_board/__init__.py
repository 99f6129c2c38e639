"""Every algorithm on CIFAR-10 under one strong recipe."""
