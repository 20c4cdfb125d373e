from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cds_hooks.protocol import SUMMARY_LIMIT, Card, HookResponse, OverrideReason, Suggestion
from tests.cds_hooks.samples import FRAME

SUGGESTION = {
    "label": "Record",
    "uuid": FRAME.suggestion_id,
    "actions": [{"description": "Add", "resource": {"resourceType": "Condition"}}],
}


def make_card(**changes: Any) -> Card:
    """Return the smallest card."""
    fields = {"uuid": FRAME.card_id, "summary": "s", "indicator": "info", "source": {"label": "l"}, **changes}
    return Card.model_validate({name: value for name, value in fields.items() if value is not ...})


@pytest.mark.parametrize(
    "changes",
    [
        {"uuid": ...},
        {"summary": ""},
        {"summary": "x" * SUMMARY_LIMIT},
        {"indicator": "hard-stop"},
        {"source": {}},
        {"source": {"label": ""}},
        {"links": [{"label": "l", "url": "/explanations/x"}]},
        {"links": [{"label": "l", "url": "https://x", "type": "smart"}]},
        {"links": []},
        {"overrideReasons": [{"code": "c", "system": "s"}]},
        {"suggestions": [SUGGESTION]},
        {"selectionBehavior": "at-most-one"},
        {"suggestions": [{**SUGGESTION, "actions": [{"resource": {"a": 1}}]}], "selectionBehavior": "any"},
        {
            "suggestions": [{**SUGGESTION, "actions": [{"description": "d", "resource": {}}]}],
            "selectionBehavior": "any",
        },
        {"detail": ""},
        {"extension": {}},
        {"colour": "red"},
    ],
)
def test_card_against_the_specification_cannot_be_built(changes: dict[str, Any]) -> None:
    """A card that breaks a rule of "Card Attributes" fails here, not in an EHR."""
    with pytest.raises(ValidationError):
        make_card(**changes)


def test_summary_may_have_one_character_less_than_the_limit() -> None:
    """The specification says fewer than 140 characters: 139 fit."""
    assert len(make_card(summary="x" * 139).summary) == 139


def test_absent_fields_are_left_out() -> None:
    """No attribute on the wire is null or empty ("Null and empty JSON elements")."""
    assert set(make_card().to_wire()) == {"uuid", "summary", "indicator", "source"}


def test_wire_names_are_those_of_the_specification() -> None:
    """Attributes go out in the specification's own spelling."""
    card = make_card(
        suggestions=[Suggestion.model_validate(SUGGESTION)],
        selectionBehavior="at-most-one",
        overrideReasons=[OverrideReason(code="c", system="s", display="d")],
    )

    assert {"suggestions", "selectionBehavior", "overrideReasons"} < set(card.to_wire())


def test_empty_list_of_cards_cannot_be_answered() -> None:
    """No card at all would read as "nothing found"."""
    with pytest.raises(ValidationError):
        HookResponse(cards=())
