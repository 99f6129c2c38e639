"""The command line. Options are parsed and validated before torch is imported."""
