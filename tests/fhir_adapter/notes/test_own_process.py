import subprocess
from typing import Any

import pytest

from fhir_adapter.notes.own_process import read_apart
from tests.fhir_adapter.notes.samples import RTF, pdf

ENDLESS = b"{\\rtf1" + b'{\\field{\\*\\fldinst{ HYPERLINK "a"' * 20_000


def test_rtf_and_pdf_are_read() -> None:
    """Both forms come back as text from a process of their own."""
    assert read_apart("rtf", RTF, 8) == ("CC: cough\nFever 39 °C\n", "")
    assert read_apart("pdf", pdf("Cough"), 8) == ("Cough", "")


@pytest.mark.parametrize(
    ("data", "problem"), [(b"no rtf", "it is no RTF"), (ENDLESS, "reading it took too long")], ids=["no rtf", "endless"]
)
def test_what_cannot_be_read_says_why(data: bytes, problem: str) -> None:
    """A file that is none, or that keeps its reader busy for hours, is a clause for the clinician."""
    with pytest.raises(ValueError, match=problem):
        read_apart("rtf", data, 1.5)


@pytest.mark.parametrize("said", [b"", b"{", b"Traceback"])
def test_a_process_that_was_stopped_is_no_text(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was killed for its memory or seconds has said nothing."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], -9, said, b""))

    with pytest.raises(ValueError, match="it could not be taken apart"):
        read_apart("pdf", b"", 1)


def test_the_process_knows_nothing_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the service reaches the process: they hold keys and passwords."""
    given: dict[str, Any] = {}

    def run(*_: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        given.update(options)
        return subprocess.CompletedProcess([], 0, b'{"text":"","lost":""}', b"")

    monkeypatch.setenv("CDS_SECRET_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", run)
    read_apart("pdf", b"", 1)

    assert set(given["env"]) == {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
