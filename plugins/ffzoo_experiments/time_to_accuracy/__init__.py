"""Accuracy against seconds and operations."""
