"""PDF or RTF -> text, in a process of its own: a hostile file is stopped there, not in the service.

No thread can be stopped, and the libraries that read these forms have no bounds: a few kilobytes can keep them busy for
hours or fill the memory. The process knows nothing of the service (no environment, no token), may use so many seconds
and so many bytes, and is killed with the deadline.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import Final, Literal

import orjson

from fhir_adapter.errors import FhirTimeout
from fhir_adapter.notes.reading import MAX_CHARS

Form = Literal["pdf", "rtf"]
MOST_S: Final = 8.0
MOST_BYTES: Final = 2**30
"""Of address space: an interpreter with the libraries needs a quarter of it."""
_MOST_ANSWER: Final = 8 * MAX_CHARS
_FAILED: Final = "it could not be taken apart"


def read_apart(form: Form, data: bytes, seconds: float) -> tuple[str, str]:
    """Return the text of a file, and what was left out as a clause.

    Args:
        form: what it is.
        data: the file.
        seconds: to wait for it; `MOST_S` at most.

    Raises:
        ValueError: it cannot be read; the message is a clause for the clinician.
        FhirTimeout: `seconds` were over before `MOST_S` were: another time there may be more of them.
    """
    command = [sys.executable, "-m", "fhir_adapter.notes.own_process", form]
    # The modules are found where this process found them, and nothing else of its surroundings is passed on.
    surroundings = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=data, capture_output=True, timeout=min(seconds, MOST_S), check=False, env=surroundings
        )
        answer = orjson.loads(done.stdout[:_MOST_ANSWER])
    except subprocess.TimeoutExpired:
        if seconds < MOST_S:
            raise FhirTimeout("the text of a document") from None
        raise ValueError("reading it took too long") from None
    except (OSError, orjson.JSONDecodeError):
        # Killed for its seconds or its memory: it said nothing.
        raise ValueError(_FAILED) from None
    if "problem" in answer:
        raise ValueError(answer["problem"])
    return answer["text"], answer["lost"]


def _limit() -> None:
    """Bound what this process may use, before it reads anything."""
    seconds = int(MOST_S) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(form: str, data: bytes) -> dict[str, str]:
    from fhir_adapter.notes.pdf import pdf_text  # noqa: PLC0415  # in the own process only
    from fhir_adapter.notes.rtf import rtf_text  # noqa: PLC0415

    try:
        text, lost = pdf_text(data) if form == "pdf" else (rtf_text(data), "")
    except ValueError as error:
        return {"problem": str(error)}
    # Text of a broken font may hold half characters, which JSON does not carry.
    return {"text": text[: MAX_CHARS + 1].encode(errors="replace").decode(), "lost": lost}


def main() -> None:
    """Read a file from standard input and write what it says as JSON."""
    _limit()
    sys.stdout.buffer.write(orjson.dumps(_answer(sys.argv[1], sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
