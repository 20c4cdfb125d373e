"""Imaging studies -> the pixels of a radiograph."""
