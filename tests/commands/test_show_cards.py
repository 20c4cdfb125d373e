from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from cds_hooks.commands.hook_client import HookAnswer
from cds_hooks.commands.show_cards import print_answer

URL = "http://127.0.0.1:8000/explanations/" + "x" * 60


def make_card(**changes: Any) -> dict[str, Any]:
    return {"summary": "Summary", "indicator": "info", "source": {"label": "Source"}} | changes


def printed(*cards: dict[str, Any], problem: str = "", width: int = 80) -> str:
    out = io.StringIO()
    answer = HookAnswer(503 if problem else 200, cards, problem, 12.3)
    print_answer(Console(file=out, width=width), "Title", answer)
    return out.getvalue()


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "[link=javascript:x]y[/link]", "<b>x</b>"])
def test_text_of_a_card_is_no_markup(text: str) -> None:
    """Brackets in a card are shown, not obeyed."""
    assert text in printed(make_card(summary=text))


def test_link_stays_in_one_piece() -> None:
    """An address longer than the terminal is wide is not broken, so that it can be clicked."""
    assert URL in printed(make_card(links=[{"label": "Why?", "url": URL}]), width=60)


def test_most_urgent_card_comes_first() -> None:
    """Cards are ordered by indicator, as an EHR orders them."""
    shown = printed(make_card(summary="later"), make_card(summary="sooner", indicator="critical"))
    assert shown.index("sooner") < shown.index("later")


def test_error_is_shown_in_place_of_cards() -> None:
    """An error has its status and its sentence."""
    shown = printed(problem="The queue is down.")
    assert "HTTP 503" in shown
    assert "The queue is down." in shown


def test_card_shows_detail_and_suggestion() -> None:
    """Detail is read as Markdown, suggestions are named."""
    shown = printed(make_card(detail="**For**\n\n- fever", suggestions=[{"label": "Record it"}]))

    assert "**" not in shown
    assert "• fever" in shown
    assert "+ Record it" in shown
