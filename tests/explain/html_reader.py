"""HTML -> what a browser makes of it: its elements, its text, and whether every element is closed in order."""

import re
from html import unescape
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Reader(HTMLParser):
    """One page, read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, open unless it never holds anything."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text, with its white space made one space."""
        return re.sub(r"\s+", " ", "".join(self.words))

    def ids(self) -> list[str]:
        """Return every id in order."""
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


def note_of(html: str) -> str:
    """Return the note as a reader sees it: without signs, kinds, numbers of sentences and what only is read out."""
    note = html.split('<div class="note"', 1)[1].split(">", 1)[1].split('<p class="', 1)[0]
    note = re.sub(r'</div>\s*<details class="rest">.*?</summary>\s*<div class="note".*?>', "", note)
    note = re.sub(r'<span class="(?:hidden|sign)".*?</span>|<small.*?</small>|</div>(?=<div)', "", note)
    note = re.sub(r"(?:</div>|</details>|\n)+$|</?(?:mark|bdi|div).*?>", "", note)
    return unescape(note)
