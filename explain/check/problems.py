"""What a checker objects to. Never words of the text, and of the record only a reference and a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "advice", "age", "certainty", "characters", "date", "diagnosis", "direction", "finding", "hidden", "length",
    "level", "measurement", "modality", "negation", "number", "person", "quotation", "side", "unit", "word",
    "code", "figure", "history", "status", "subject", "time", "unread", "value", "version",
]  # fmt: skip

MESSAGES: Final[dict[Kind, str]] = {
    "advice": "gives advice on treatment",
    "age": "states an age that is not among the claims",
    "certainty": "is surer or less sure than the claims",
    "characters": "holds characters that could hide something",
    "date": "states a time that is not that of the claim",
    "diagnosis": "names a diagnosis that is not among the claims",
    "direction": "turns what speaks for the answer against it, or the other way round",
    "finding": "names a finding that is not among the claims",
    "hidden": "leaves out a claim that it says it tells",
    "length": "is empty or too long",
    "level": "calls a value high, low or normal that is not",
    "measurement": "names a measurement that is not among the claims",
    "modality": "speaks of a kind of evidence that is not among the claims",
    "negation": "denies something that the claims do not deny",
    "number": "states a number that is not among the claims",
    "person": "states a sex that is not among the claims",
    "quotation": "quotes words that are not among the claims, or without what is said of them",
    "side": "names a side or place that is not among the claims",
    "unit": "states a value in another unit, or without its unit",
    "word": "uses a word that cannot be checked",
    "code": "the resource does not hold this quantity",
    "figure": "the model's figures do not say so",
    "history": "an earlier reading is not as the resource has it",
    "status": "the resource is not one that somebody stands behind",
    "subject": "the resource belongs to somebody else",
    "time": "the resource has another time",
    "unread": "the resource cannot be read",
    "value": "the resource has another value",
    "version": "the resource is there in another version",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One objection.

    Attributes:
        key: slot of the measurement, or what else of the explanation it is about; empty for a text.
        source: versioned FHIR reference, where there is one.
    """

    kind: Kind
    key: str = ""
    source: str = ""

    def __str__(self) -> str:
        about = " of ".join(filter(None, (self.key, self.source)))
        return f"{about}: {MESSAGES[self.kind]}" if about else MESSAGES[self.kind]
