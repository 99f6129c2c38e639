"""Every rule that ships: ``scff.py`` is a rule from formula to registration, ``scff_parts.py`` its torch code."""
