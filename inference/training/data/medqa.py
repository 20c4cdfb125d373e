"""MedQA file (one JSON object a line) -> multiple-choice questions of medical exams.

Layout of the published `questions/US/*.jsonl` and of its four-option form: `question`, `options` by letter, `answer`
(the text) and `answer_idx` (the letter), `meta_info` (`step1`, `step2&3`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from inference.training.data.films import FolderError


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        text: the case and what is asked.
        options: the answers to choose from, in the order of their letters.
        answer: place of the right one in `options`.
        step: part of the exam, or an empty string.
    """

    text: str
    options: tuple[str, ...]
    answer: int
    step: str


def read_questions(path: Path) -> list[Question]:
    """Read every question of a file.

    Raises:
        FolderError: the file is missing or empty, or a line is no question; the message names the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise FolderError(f"{path} cannot be read: name a MedQA file such as test.jsonl") from error
    questions = [read_question(line, f"{path} line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise FolderError(f"{path} has no question: name a MedQA file such as test.jsonl")
    return questions


def read_question(line: bytes, where: str) -> Question:
    """Read one line; raises as `read_questions` does."""
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise FolderError(f"{where} is not JSON: take it out or mend it") from None
    problem = find_problem(content)
    if problem:
        raise FolderError(f"{where} {problem}: take it out or mend it")
    letters = sorted(content["options"])
    options = tuple(content["options"][letter] for letter in letters)
    step = content.get("meta_info")
    return Question(content["question"], options, letters.index(content["answer_idx"]), step if step else "")


def find_problem(content: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Return what is wrong with a line, or an empty string."""
    if not isinstance(content, dict) or not isinstance(content.get("question"), str) or not content["question"]:
        return "has no question"
    options = content.get("options")
    if not isinstance(options, dict) or len(options) < 2 or not all(isinstance(each, str) for each in options.values()):
        return "has no options to choose from"
    if content.get("answer_idx") not in options:
        return "names no option as the answer"
    return "" if content.get("answer") == options[content["answer_idx"]] else "has an answer that is not its option"
