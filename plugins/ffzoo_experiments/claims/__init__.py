"""The experiments on the claims of the DTG-FF paper, one module each."""
