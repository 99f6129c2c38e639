"""Experiments: studies that go on where they were stopped, paired timing, and reports.

Which experiments there are is for plugins to say (``register_experiments``); ``ffzoo bench`` runs them.
Importing this package imports no torch.
"""
