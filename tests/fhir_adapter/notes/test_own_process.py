import subprocess
from typing import Any

import pytest

from fhir_adapter.errors import FhirTimeout
from fhir_adapter.notes.own_process import read_apart
from tests.fhir_adapter.notes.samples import RTF, pdf

ENDLESS = b"{\\rtf1" + b'{\\field{\\*\\fldinst{ HYPERLINK "a"' * 20_000


def test_rtf_and_pdf_are_read() -> None:
    """Both forms come back as text from a process of their own."""
    assert read_apart("rtf", RTF, 8) == ("CC: cough\nFever 39 °C\n", "")
    assert read_apart("pdf", pdf("Cough"), 8) == ("Cough", "")


def test_what_is_no_rtf_says_so() -> None:
    """The clause of the reader comes back from its process."""
    with pytest.raises(ValueError, match="it is no RTF"):
        read_apart("rtf", b"no rtf", 8)


def test_a_hostile_file_is_stopped_with_the_deadline() -> None:
    """A file that would keep its reader busy for hours is out of time, like any answer that does not come."""
    with pytest.raises(FhirTimeout):
        read_apart("rtf", ENDLESS, 1)


def test_a_file_that_takes_all_time_there_is_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no more time would help, the file is at fault and not the deadline."""

    def run(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired([], timeout)

    monkeypatch.setattr(subprocess, "run", run)

    with pytest.raises(ValueError, match="reading it took too long"):
        read_apart("pdf", b"", 60)


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
