"""What a report shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from explain.evidence import Explanation
from inference.checkpoint import Card
from inference.prediction import Prediction, Verdict


@dataclass(frozen=True, slots=True)
class ReportView:
    """One explanation and where it comes from.

    Attributes:
        film_png, heat_png: as in `ImageEvidence`, stored apart from the explanation; empty where there is no film.
        computed_at: when the model answered.
    """

    prediction: Prediction
    explanation: Explanation
    card: Card
    computed_at: datetime
    film_png: bytes = b""
    heat_png: bytes = b""

    @property
    def assessed(self) -> bool:
        """Whether there is an answer."""
        return self.prediction.verdict is not Verdict.OUT_OF_SCOPE
