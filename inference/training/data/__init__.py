"""Readers of labelled radiographs, and how they are split."""
