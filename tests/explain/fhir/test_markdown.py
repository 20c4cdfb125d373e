import pytest

from explain.fhir.markdown import escaped


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("C-reactive protein 96 mg/L (high; normal up to 5).", "C-reactive protein 96 mg/L (high; normal up to 5)."),
        ("<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        ("[x](http://a) *y* `z` _u_", r"\[x\](http://a) \*y\* \`z\` \_u\_"),
        ("# title", r"\# title"),
        ("1. first", r"\1. first"),
        ("a\n\n# b", "a # b"),
        ("", ""),
    ],
)
def test_words_read_as_they_are(text: str, safe: str) -> None:
    """Nothing in a sentence becomes markup, and a sentence without any is not changed."""
    assert escaped(text) == safe
