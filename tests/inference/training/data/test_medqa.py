from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.training.data.films import FolderError
from inference.training.data.medqa import read_questions
from inference.training.tokenizer import read_medqa

REAL = Path(__file__).parents[5] / "shared" / "data" / "medqa" / "test.jsonl"
LINE = {
    "question": "A child coughs. Which drug?",
    "answer": "Amoxicillin",
    "options": {"B": "None", "A": "Amoxicillin"},
    "meta_info": "step1",
    "answer_idx": "A",
}


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_question_has_its_options_by_letter(tmp_path: Path) -> None:
    """Options stand in the order of their letters, and the answer is a place among them."""
    (question,) = read_questions(write(tmp_path / "q.jsonl", LINE, ""))

    assert question.options == ("Amoxicillin", "None")
    assert (question.answer, question.step) == (0, "step1")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not JSON"),
        ({**LINE, "question": ""}, "has no question"),
        ([1], "has no question"),
        ({**LINE, "options": {"A": "x"}}, "has no options"),
        ({**LINE, "answer_idx": "C"}, "names no option"),
        ({**LINE, "answer": "None"}, "has an answer that is not its option"),
    ],
)
def test_bad_line_is_named_by_number(tmp_path: Path, line: object, problem: str) -> None:
    """A line that is no question is an error that says which."""
    with pytest.raises(FolderError, match=f"line 2 {problem}"):
        read_questions(write(tmp_path / "q.jsonl", LINE, line))


@pytest.mark.parametrize("name", ["empty.jsonl", "absent.jsonl"])
def test_file_without_questions_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing to learn from is an error."""
    (tmp_path / "empty.jsonl").touch()

    with pytest.raises(FolderError, match=name):
        read_questions(tmp_path / name)


def test_the_real_file_reads() -> None:
    """All 1,273 questions of the published test file have four options, and the tokenizer learns from their words."""
    if not REAL.is_file():
        pytest.skip("the questions are not here: ../shared/data/medqa")
    questions = read_questions(REAL)

    assert (len(questions), {len(question.options) for question in questions}) == (1273, {4})
    assert list(read_medqa(REAL)) == [question.text for question in questions]
