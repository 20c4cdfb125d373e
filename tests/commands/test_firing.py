from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import orjson
import pytest
import typer

from cds_hooks.commands.firing import fire_and_print
from tests.sandbox.films import write_stripes
from tests.sandbox.live import Live, live_demo


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    films = write_stripes(tmp_path_factory.mktemp("films"))
    with live_demo(tmp_path_factory.mktemp("demo"), films) as live:
        yield live


@pytest.mark.parametrize("with_prefetch", [True, False])
def test_card_is_printed(live: Live, capsys: pytest.CaptureFixture[str], with_prefetch: bool) -> None:  # noqa: FBT001
    """`fire` prints the card of one patient, whether it prefetches or not."""
    fhir = live.sandbox.fhir_url
    assert fire_and_print(live.url, "demo-w8m2", fhir, "", with_prefetch=with_prefetch, as_json=False)
    assert "Why this card?" in capsys.readouterr().out


def test_answer_is_printed_as_it_came(live: Live) -> None:
    """With --json the command prints the cards for a program, and nothing else."""
    arguments = ["fire", "demo-w8m2", "--fhir", live.sandbox.fhir_url, "--service", live.url, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "cds_hooks.cli", *arguments], capture_output=True, timeout=60, check=True
    )
    body = orjson.loads(done.stdout)

    assert (body["status"], len(body["cards"])) == (200, 1)


@pytest.mark.parametrize("as_json", [True, False])
def test_error_is_printed_and_fails(live: Live, capsys: pytest.CaptureFixture[str], as_json: bool) -> None:  # noqa: FBT001
    """An answer without cards is a failure, and its reason is printed."""
    fhir = live.sandbox.fhir_url
    assert not fire_and_print(live.url, "nobody", fhir, "", with_prefetch=False, as_json=as_json)
    assert "412" in capsys.readouterr().out


def test_unknown_service_is_told(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that discovery does not list is an error that says so."""
    with pytest.raises(typer.Exit):
        fire_and_print(f"{live.url}/cds-services/nosuch", "p", "http://x", "", with_prefetch=False, as_json=False)
    assert "discovery lists no such service" in capsys.readouterr().err
