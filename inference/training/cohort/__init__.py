"""Label and seed -> simulated measurements and a simulated note, from published distributions."""

from inference.training.cohort.case import LABELS, case_for, draw_case, draw_cases

__all__ = ["LABELS", "case_for", "draw_case", "draw_cases"]
