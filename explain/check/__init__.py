"""Holds texts and records against the claims; shares no code with what wrote them.

`check_text`: a sentence against the facts of its claims. `check_sources`: every fact against the FHIR resource or the
figure of the model that it names. `tamper` and `figures` measure how much both find.
"""

from explain.check.problems import Problem
from explain.check.sources import Report, check_sources
from explain.check.text import check_text

__all__ = ["Problem", "Report", "check_sources", "check_text"]
