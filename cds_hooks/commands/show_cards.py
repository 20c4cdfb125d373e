"""CDS Hooks cards -> a terminal, as panels of rich; text from cards is never read as console markup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from cds_hooks.commands.hook_client import HookAnswer

STYLES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
URGENCY: Final = tuple(STYLES)
WIDTH: Final = 100


def print_answer(console: Console, title: str, answer: HookAnswer) -> None:
    """Print a heading and every card of an answer, most urgent first; or the error in their place."""
    console.print(Text.assemble((title, "bold"), (f"  {answer.milliseconds:.0f} ms", "dim")))
    if answer.problem:
        console.print(
            Panel(Text(answer.problem), title=f"HTTP {answer.status}", border_style="red", width=_width(console))
        )
    for card in sorted(answer.cards, key=lambda card: URGENCY.index(card["indicator"])):
        console.print(_panel(card, _width(console)))
        for line in _actions(card):
            # An address that is broken over two lines cannot be clicked.
            console.print(line, soft_wrap=True)
    console.print()


def _width(console: Console) -> int:
    """Return how wide a card is: long lines are hard to read."""
    return min(console.width, WIDTH)


def _panel(card: dict[str, Any], width: int) -> Panel:
    """Return one card."""
    parts: list[RenderableType] = [Text(card["summary"], style="bold")]
    if detail := card.get("detail"):
        parts += [Text(), Markdown(detail, hyperlinks=False)]
    return Panel(
        Group(*parts),
        title=Text(card["indicator"]),
        title_align="left",
        border_style=STYLES[card["indicator"]],
        subtitle=Text(card["source"]["label"], style="dim"),
        subtitle_align="right",
        width=width,
    )


def _actions(card: dict[str, Any]) -> Iterator[Text]:
    """Yield links and suggestions, a line each."""
    for link in card.get("links", ()):
        yield Text.assemble(("  → ", "dim"), f"{link['label']} ", (link["url"], "blue"))
    for suggestion in card.get("suggestions", ()):
        yield Text.assemble(("  + ", "dim"), suggestion["label"])
