"""Measured figures and stated attributes -> the model card."""
