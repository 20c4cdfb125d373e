from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from rich.console import Console
from typer.testing import Result

from cds_hooks.commands.findings import Report, print_report
from cds_hooks.commands.token_source import TokenSource, read_client
from fhir_adapter.auth.keys import make_key
from fhir_adapter.survey.checks import CHECKS
from fhir_adapter.survey.conclusion import Conclusion
from fhir_adapter.survey.findings import Finding, Verdict
from tests.commands.doctor_runs import run_doctor
from tests.sandbox.films import write_stripes
from tests.sandbox.live import Live, live_demo
from tests.servers import free_port

PATIENT = "demo-t4k1"
DOC = Path(__file__).parents[2] / "docs" / "doctor.md"
KEYS = ["base", "findings", "missing", "requests", "seconds", "settings", "summary", "tell", "works"]
Doctor = Callable[..., Result]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    films = write_stripes(tmp_path_factory.mktemp("films"))
    with live_demo(tmp_path_factory.mktemp("demo"), films) as live:
        yield live


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Run `mllm-cds doctor` in a terminal of 120 columns."""
    monkeypatch.setenv("COLUMNS", "120")
    return run_doctor


def test_demo_server_works(doctor: Doctor, live: Live) -> None:
    """Against the embedded server with a patient every part is read, and the exit status is 0."""
    done = doctor(live.sandbox.fhir_url, "--patient", PATIENT, "--dicomweb", live.sandbox.dicomweb_url, "--json")
    report = orjson.loads(done.stdout)

    assert (done.exit_code, report["works"]) == (0, True)
    assert [one["part"] for one in report["findings"] if one["verdict"] in ("failed", "missing")] == []


def test_json_has_stable_names(doctor: Doctor, live: Live) -> None:
    """Programs may rely on the names, and on one finding for each check."""
    report = orjson.loads(doctor(live.sandbox.fhir_url, "--json").stdout)

    assert sorted(report) == KEYS
    assert {one["part"] for one in report["findings"]} == set(CHECKS)
    assert {frozenset(one) for one in report["findings"]} == {
        frozenset(("part", "verdict", "sentence", "ms", "advice"))
    }


def test_own_checks_are_json_too(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address the same names tell about this service, and the status of a failure is 1."""
    monkeypatch.setenv("CDS_CHECKPOINT", str(tmp_path / "none"))
    monkeypatch.setenv("CDS_STATE_DIR", str(tmp_path))
    done = doctor("--json")
    report = orjson.loads(done.stdout)

    assert (done.exit_code, sorted(report)) == (1, KEYS)
    assert {one["verdict"] for one in report["findings"] if one["part"] == "model"} == {"failed"}


def test_table_names_every_check_and_the_settings(doctor: Doctor, live: Live) -> None:
    """A person reads one row for each check, then what it comes to; no colour where it is piped."""
    done = doctor(live.sandbox.fhir_url, "--any-patient", "--dicomweb", live.sandbox.dicomweb_url)

    assert [part for part in CHECKS if part not in done.stdout] == []
    assert "FHIR_ALLOWED_SERVERS='[" in done.stdout
    assert "\x1b" not in done.stdout


def test_nothing_of_a_patient_is_printed(doctor: Doctor, live: Live) -> None:
    """Neither the id that was given nor a name of the record."""
    done = doctor(live.sandbox.fhir_url, "--patient", PATIENT, "--dicomweb", live.sandbox.dicomweb_url)
    (patient,) = (one for one in live.sandbox.resources.all_of("Patient") if one["id"] == PATIENT)

    assert [text for text in (PATIENT, patient["name"][0]["family"]) if text in done.output] == []


def test_server_that_is_down_is_status_1(doctor: Doctor) -> None:
    """A server that cannot be reached is a failure, not a crash."""
    done = doctor(f"http://127.0.0.1:{free_port()}/fhir")

    assert done.exit_code == 1
    assert "ConnectionRefusedError" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--patient", "p"], "give FHIR_BASE"),
        (["ftp://x/fhir"], "FHIR_BASE must be"),
        (["https://user:secret@x/fhir"], "FHIR_BASE must be"),
        (["https://x/fhir?a=b"], "FHIR_BASE must be"),
        (["https://x/fhir", "--dicomweb", "pacs"], "--dicomweb must be"),
        (["https://x/fhir", "--patient", "Patient/1"], "must be the id"),
        (["https://x/fhir", "--patient", "p", "--any-patient"], "not both"),
        (["https://x/fhir", "--token-env", "NOSUCH_VARIABLE"], "empty or not there"),
        (["https://x/fhir", "--token-file", "/nonexistent"], "empty or not there"),
        (["https://x/fhir", "--token-file", "f", "--smart"], "one source"),
        (["https://x/fhir", "--smart"], "FHIR_CLIENTS has no registration"),
        (["https://x/fhir", "--client-id", "us"], "belong together"),
        (["https://x/fhir", "--within", "0"], "within"),
    ],
)
def test_wrong_use_is_status_2(doctor: Doctor, arguments: list[str], said: str) -> None:
    """What cannot be meant is refused with a sentence before anything is asked."""
    done = doctor(*arguments)

    assert done.exit_code == 2
    assert said in re.sub(r"[\s│]+", " ", done.output)


def test_token_that_cannot_be_one_is_not_repeated(doctor: Doctor) -> None:
    """A token of the wrong form is wrong use, and stays unsaid."""
    done = doctor("http://127.0.0.1/fhir", "--token-file", "-", input="two words\n")

    assert done.exit_code == 2
    assert "two words" not in done.output


def test_token_may_come_from_three_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file, the environment and the terminal give the same token; nothing echoes it."""
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setenv("A_TOKEN", "abc")
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "abc")
    sources = [TokenSource(file=str(tmp_path / "token")), TokenSource(variable="A_TOKEN"), TokenSource(ask=True)]
    tokens = [token.get_secret_value() for source in sources if (token := source.read()) is not None]

    assert tokens == ["abc"] * 3
    assert "abc" not in str(sources) + capsys.readouterr().out


def test_binary_token_file_is_wrong_use(tmp_path: Path) -> None:
    """A file that is no text holds no token."""
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(typer.BadParameter):
        TokenSource(file=str(tmp_path / "token")).read()


def test_registration_comes_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --smart alone FHIR_CLIENTS says who we are at that server."""
    (tmp_path / "keys.json").write_bytes(orjson.dumps({"keys": [make_key("ES384")]}))
    clients = {"https://ehr.example.org/fhir": {"client_id": "us", "keys": str(tmp_path / "keys.json")}}
    monkeypatch.setenv("FHIR_CLIENTS", orjson.dumps(clients).decode())

    assert read_client("https://ehr.example.org/fhir", "", "", "system/*.rs").client_id == "us"


@pytest.mark.parametrize("width", [20, 40, 71, 72, 200])
def test_report_fits_any_terminal(width: int) -> None:
    """A narrow terminal gets lines in place of a table, and markup of a server stays text."""
    console = Console(file=StringIO(), width=width)
    finding = Finding("reach/answer", Verdict.WARN, "[bold]word " * 30, 12.3, "Please see.")
    drawn = Conclusion(works=True, summary="It works.", missing=(), tell=("Please see.",), settings=())
    print_report(console, Report([finding], works=True, conclusion=drawn))
    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue()

    assert printed.replace("\n", "").count("[bold]") + printed.count("[bo\n") >= 20
    assert "1. Please see." in printed


def rows(text: str) -> dict[str, Any]:
    """The rows of the table of checks: name and meaning."""
    found = re.findall(r"^\| `([a-z]+/[a-z-]+)` \| (.+) \|$", text, re.MULTILINE)
    return dict(found)


def test_doc_lists_the_checks() -> None:
    """docs/doctor.md has each check with its meaning, and no other."""
    assert rows(DOC.read_text(encoding="utf-8")) == dict(CHECKS)


def test_doc_lists_the_names_of_json() -> None:
    """docs/doctor.md tells every name that --json prints."""
    text = DOC.read_text(encoding="utf-8")
    assert [name for name in (*KEYS, "part", "verdict", "sentence", "ms", "advice") if f"`{name}`" not in text] == []
