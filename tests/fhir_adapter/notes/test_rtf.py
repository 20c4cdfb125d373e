import pytest

from fhir_adapter.notes.rtf import rtf_text
from tests.fhir_adapter.notes.samples import RTF


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (RTF, "CC: cough\nFever 39 °C\n"),
        (rb"{\rtf1\ansi\trowd RR\cell 32\cell\row}", "RR|32|\n"),
        (rb"{\rtf1 a{\*\private secret}{\info{\author Jane}}b\u8364 ?}", "ab€"),
        (b"\n{\\rtf1 39 \xb0C}", "39 °C"),
    ],
)
def test_what_a_reader_sees_is_read(data: bytes, text: str) -> None:
    """Text, tables and escaped signs are read; what the file keeps to itself is not."""
    assert rtf_text(data) == text


@pytest.mark.parametrize(
    ("data", "problem"), [(b"Cough", "it is no RTF"), (b"", "it is no RTF"), (rb"{\rtf1 a\u9999999999 ?}", "broken")]
)
def test_what_is_no_rtf_is_refused(data: bytes, problem: str) -> None:
    """Other content, and a code page that there is not, are refused."""
    with pytest.raises(ValueError, match=problem):
        rtf_text(data)
