"""Observations -> numbers in the unit of their quantity."""
