"""Every algorithm on small data at one budget."""
