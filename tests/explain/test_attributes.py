"""The source attributes of a checkpoint, as a page shows them."""

import json
from pathlib import Path

import pytest

from explain.attributes import read_attributes
from explain.page import render_attributes
from inference.attributes import ATTRIBUTES_NAME
from tests.explain.examples import CARD
from tests.explain.html_reader import Reader

WHOLE = {
    "rule": "45 CFR 170.315(b)(11)(iv)(B)",
    "checkpoint": "paediatric-pneumonia 1.0",
    "seal": CARD.seal,
    "attributes": [
        {"number": number, "category": f"Category {(number - 1) // 8}", "heading": f"Heading {number}", "text": "<b>"}
        for number in range(1, 32)
    ],
}


def folder(path: Path, content: object) -> Path:
    (path / ATTRIBUTES_NAME).write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_all_are_shown_in_order_under_their_categories(tmp_path: Path) -> None:
    """The page lists all 31 in their order, escaped, each category once."""
    found = read_attributes(folder(tmp_path, WHOLE), CARD)
    html = render_attributes(CARD, found)
    assert [html.index(f"{number}. Heading {number}<") for number in range(1, 32)] == sorted(
        html.index(f"{number}. Heading {number}<") for number in range(1, 32)
    )
    assert html.count("<h3>Category 1</h3>") == 1
    assert "<dd><b>" not in html
    assert Reader(html).open == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "carries no source attributes"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        (WHOLE | {"seal": "ab" * 32}, "were written for another one"),
        (WHOLE | {"attributes": WHOLE["attributes"][:30]}, "are not complete"),
        (WHOLE | {"attributes": []}, "are not complete"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: object, why: str) -> None:
    """A checkpoint without attributes, or with those of another, gets a plain sentence and what to run."""
    found = read_attributes(tmp_path if content is None else folder(tmp_path, content), CARD)
    assert found.attributes == ()
    assert why in found.problem
    assert "mllm-cds model-card" in Reader(render_attributes(CARD, found)).text
