"""Named things of every kind, and how plugins bring them. No torch in here."""
