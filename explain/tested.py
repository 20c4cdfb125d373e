"""What the second tier finds out about one explanation: the types, and nothing else.

The job that fills them runs after the answer (`explain.second`); until then a page says "being checked".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from fhir_adapter.record import Modality
from inference.entities import Entity

FINDING: Final = "finding"
"""Key of the step of a counterfactual that takes a finding of the note away."""


@dataclass(frozen=True, slots=True)
class GroupShare:
    """A clinical group of structured inputs and its exact Shapley contribution to the probability of the answer.

    Attributes:
        key: key in `explain.methods.groups.GROUPS`.
        name: as a clinician reads it: "C-reactive protein", "White cells with differential".
        members: keys of the slots in `inference.contract.MEASUREMENTS` that were given.
        points: signed change of the probability, -1..1.
    """

    key: str
    name: str
    members: tuple[str, ...]
    points: float


@dataclass(frozen=True, slots=True)
class ZoneEffect:
    """What covering a named region of the film does to the answer.

    Attributes:
        name: "right lower zone".
        points: how far the probability of the answer falls when the whole region is covered.
        share: its part of the film's map, 0..1; see `Tested.heat_png`.
    """

    name: str
    points: float
    share: float


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A span of the note that counts, found by taking the note's words away one by one.

    Attributes:
        start: first character of the span in the note.
        end: one behind its last.
        points: how far the probability of the answer falls when the whole span is taken away.
        entities: what the model took the words for, in reading order.
    """

    start: int
    end: int
    points: float
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Whether the marked evidence of one modality matters more than random evidence of the same size, in this case.

    Attributes:
        comprehensiveness: mean fall of the answer's probability when the most relevant part is taken away (AOPC).
        random_comprehensiveness: the same for random parts of the same sizes, mean over `controls` of them.
        sufficiency: mean fall when only the most relevant part is kept; smaller is better.
        random_sufficiency: the same for random parts.
        beaten: how many of the random maps the shown one beats in comprehensiveness.
        controls: how many there were.
    """

    modality: Modality
    comprehensiveness: float
    random_comprehensiveness: float
    sufficiency: float
    random_sufficiency: float
    beaten: int
    controls: int

    @property
    def holds(self) -> bool:
        """Whether the evidence beats chance: what does not is withdrawn."""
        return self.comprehensiveness > self.random_comprehensiveness


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a counterfactual: a measurement from one value to another, in its own unit.

    A finding of the note that is taken away has the key `FINDING`, its words as `name`, and no values.
    """

    key: str
    name: str
    before: float | None
    after: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change found that gives another answer, checked by running the model again.

    Attributes:
        steps: at most three.
        kind: "answer" when another diagnosis becomes the likeliest, "set" when only the prediction set changes.
        diagnosis: key of the likeliest diagnosis afterwards.
        probability: its probability afterwards.
        prediction_set: keys afterwards.
    """

    steps: tuple[Step, ...]
    kind: str
    diagnosis: str
    probability: float
    prediction_set: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """An absent input that would be expected to narrow the set of diagnoses.

    Attributes:
        key: a modality (`image`, `text`) or the key of a measurement.
        name: as a clinician reads it.
        size_before: diagnoses in the prediction set now.
        size_expected: mean number in it over what the input may turn out to be, 0 or more.
        entropy_drop: expected fall of the entropy of the answer, in bits.
    """

    key: str
    name: str
    size_before: int
    size_expected: float
    entropy_drop: float


@dataclass(frozen=True, slots=True)
class ToldSentence:
    """One sentence of a generative narrator, and the places in `Explanation.claims` that it repeats."""

    text: str
    claims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a generative narrator made of the claims.

    Attributes:
        narrator: name of the model, as configured.
        sentences: its text, checked; empty when it was refused, and the page then keeps the template's sentences.
        refused: why the text was not used, without any of its words; empty when it is.
    """

    narrator: str
    sentences: tuple[ToldSentence, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """The second tier of one explanation.

    Attributes:
        groups: largest first; they add up to the `Share.points` of the structured record.
        residual: absolute difference between the two sides of that sum.
        zones: named regions of the film, largest fall first; empty without a film.
        words: the spans of the note that count, in reading order; empty without a note.
        fidelity: one for each modality that was given.
        change: the smallest change found, or None where none of at most three steps was.
        helps: absent inputs that would narrow the set, most first.
        duration_ms: how long it took.
        heat_png: the film's map, to lie over the film: parts of it were covered one by one, and how far the answer fell
            is how strong the map is there. Transparent PNG in the shape of the film; empty without a film.
        told: what a generative narrator wrote, or None where none is set up.
    """

    __test__: ClassVar[bool] = False
    """It is no test case, whatever pytest thinks of its name."""

    groups: tuple[GroupShare, ...]
    residual: float
    zones: tuple[ZoneEffect, ...]
    words: tuple[WordEffect, ...]
    fidelity: tuple[Fidelity, ...]
    change: Change | None
    helps: tuple[Help, ...]
    duration_ms: float
    heat_png: bytes = b""
    told: Told | None = None

    def holds(self, modality: Modality) -> bool:
        """Whether the marks of a modality may be shown: they beat chance, or there was nothing to compare."""
        return all(one.holds for one in self.fidelity if one.modality == modality)
