"""A chart and a grammar -> single clauses with their fields filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.training.cohort.chart import Chart
from inference.training.cohort.grammar import Grammar, State
from inference.training.cohort.parameters import number
from inference.training.cohort.stream import Stream


@dataclass(frozen=True, slots=True)
class Writer:
    """Everything a note is written with; `words` are the fields that stay the same through the note."""

    chart: Chart
    grammar: Grammar
    stream: Stream
    words: dict[str, str]

    def say(self, table: str, key: str, **more: str) -> str:
        """Return one wording with its fields filled."""
        return self.stream.pick(self.grammar.tables[table][key]).format_map({**self.words, **more})

    def state(self, finding: str, state: State) -> str:
        """Return one wording of a finding in a state."""
        if finding == "crackles" and state != "absent" and self.chart.findings["focal_crackles"]:
            finding = "focal_crackles"
        return self.stream.pick(self.grammar.findings[finding][state]).format_map(self.words)

    def terms(self, findings: Sequence[str]) -> list[str]:
        """Return one noun for each finding."""
        return [self.stream.pick(self.grammar.tables["terms"][finding]) for finding in findings]

    def truth(self, finding: str) -> State:
        """Return the charted state of a finding."""
        return "present" if self.chart.findings[finding] else "absent"

    def is_mentioned(self, finding: str) -> bool:
        """Draw whether a finding is written about: what is there more often than what is not."""
        return self.stream.chance(number(f"note.mention_{self.truth(finding)}"))

    def drawn_state(self, finding: str) -> State:
        """Return the charted state of a finding, or now and then that it is unsure."""
        state = self.truth(finding)
        return "unsure" if self.stream.chance(number(f"note.unsure_{state}")) else state


@dataclass(slots=True)
class Sections:
    """The parts of a note as clauses, not yet joined."""

    complaint: list[str]
    history: list[str]
    examination: list[str]
    plan: list[str]

    def count_words(self) -> int:
        """Return the words of all clauses."""
        parts = (self.complaint, self.history, self.examination, self.plan)
        return sum(clause.count(" ") + 1 for part in parts for clause in part)


def fit_length(sections: Sections, writer: Writer, words: int) -> None:
    """Bring a note to a number of words: by leaving clauses out, then by remarks that tell nothing."""
    trim(sections, writer.stream, words)
    fill = writer.grammar.tables["fill"]
    parts = [
        (sections.history, writer.stream.shuffle(fill["history"])),
        (sections.examination, writer.stream.shuffle(fill["examination"])),
    ]
    while sections.count_words() < words and all(remarks for _, remarks in parts):
        part, remarks = writer.stream.pick(parts)
        part.append(remarks.pop().format_map(writer.words))


def trim(sections: Sections, stream: Stream, words: int) -> None:
    """Leave out clauses at random until a note is short enough; the complaint and the addendum stay."""
    excess = sections.count_words() - words
    while excess > 0 and (sections.history or sections.examination):
        longer = sections.history if len(sections.history) > len(sections.examination) else sections.examination
        excess -= longer.pop(stream.between(0, len(longer) - 1)).count(" ") + 1
