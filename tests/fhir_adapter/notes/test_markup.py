import pytest

from fhir_adapter.notes.markup import strip_markup


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Cough <b>since</b> Monday", "Cough since Monday"),
        ("<p>Cough</p><p>Fever</p>", "\nCough\n\nFever\n"),
        ("Cough<br/>Fever<BR>Rales", "Cough\nFever\nRales"),
        ("<td>CRP</td><td>48</td>", " CRP  48 "),
        ("a\n  b", "a b"),
        ("<pre>a\n  b</pre>", "\na\n\xa0\xa0b\n"),
        ("<p>\n  a&nbsp;b", "\na\xa0b"),
        ("CRP &lt;5 &amp; SpO2 97&#37;", "CRP <5 & SpO2 97%"),
        ("CRP <5, age > 2", "CRP <5, age > 2"),
        ('<a title="x > y">link</a>', "link"),
        ("a<!-- <p>hidden</p> -->b", "ab"),
        ("<!DOCTYPE html><?xml version='1.0'?>a", "a"),
        ("a<script>if (x < 1) alert('</p>')</script>b", "ab"),
        ("a<STYLE>p > b {}</style >b", "ab"),
        ("a<script/>b", "ab"),
        ("a<svg><text>no</text></svg>b", "ab"),
        ("&#99999999999999999999;", "\N{REPLACEMENT CHARACTER}"),
        ("<", "<"),
        ("", ""),
    ],
)
def test_text_is_what_a_reader_sees(markup: str, text: str) -> None:
    """Tags, comments and scripts go, entities become characters, blocks become lines."""
    assert strip_markup(markup) == text


@pytest.mark.parametrize("markup", ["a<!-- b", "a<script>b", "a<p b", 'a<p title="b>c', "a<?b", "a<svg>b"])
def test_markup_without_an_end_is_refused(markup: str) -> None:
    """What would swallow the rest of a note is an error: half a note must not pass for a whole one."""
    with pytest.raises(ValueError, match="its markup is broken"):
        strip_markup(markup)
