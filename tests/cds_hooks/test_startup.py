from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cds_hooks.store.database import Database
from tests.cds_hooks.samples import SECRETS, make_hook
from tests.servers import clean_environment, free_port, stop_process, wait_for_port

JSON = {"Content-Type": "application/json"}
ROOT = Path(__file__).parents[2]


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a service process on a free port, its output in `log`."""
    port = free_port()
    environment = clean_environment(CDS_STATE_DIR=str(folder / "state"), PYTHONPATH=str(ROOT), **variables)
    command = [sys.executable, "-m", "tests.cds_hooks.service_process", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_for_port(port, process)
            yield f"http://127.0.0.1:{port}", process
        finally:
            stop_process(process, signal.SIGTERM)


@pytest.mark.parametrize(
    "module", ["fhir.resources", "torch", "transformers", "onnxruntime", "pydicom", "tritonclient"]
)
def test_web_starts_without_what_is_slow_to_import(module: str) -> None:
    """The application is imported without validating FHIR classes, model runtime and DICOM: the worker needs those."""
    code = f"import sys, cds_hooks.app; sys.exit({module!r} in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60)

    assert ended.returncode == 0


def test_earlier_database_keeps_the_service_from_starting(tmp_path: Path) -> None:
    """A service whose database is of an earlier version ends at once, and its log says what to do."""
    database = Database(f"sqlite:///{tmp_path}/old.sqlite3")
    database.create_tables()
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE results DROP COLUMN prior_sealed")
    database.close()
    environment = clean_environment(CDS_DATABASE_URL=f"sqlite:///{tmp_path}/old.sqlite3", PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "tests.cds_hooks.service_process", str(free_port())]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode != 0
    assert "ALTER TABLE results ADD COLUMN prior_sealed BLOB;" in ended.stderr
    assert "service_started" not in ended.stderr


def test_service_answers_on_a_socket_and_ends_in_order(tmp_path: Path) -> None:
    """A real server process answers health and hook, and ends on SIGTERM with a last word in its log."""
    with serving(tmp_path) as (url, process):
        health = httpx.get(f"{url}/healthz")
        hook = httpx.post(f"{url}/cds-services/mllm-diagnosis", json=make_hook())
        stop_process(process, signal.SIGTERM)
    printed = (tmp_path / "log").read_text()

    assert [health.status_code, hook.status_code] == [200, 200]
    assert '"service_stopped"' in printed
    assert not [word for word in SECRETS if word in printed]


def test_result_outlives_a_restart(tmp_path: Path) -> None:
    """After a restart the same question is answered from what was kept, and the old link still works."""
    with serving(tmp_path) as (url, _):
        first = httpx.post(f"{url}/cds-services/mllm-diagnosis", json=make_hook()).json()["cards"][0]
    with serving(tmp_path) as (url, _):
        second = httpx.post(f"{url}/cds-services/mllm-diagnosis", json=make_hook()).json()["cards"][0]
        page = httpx.get(url + "/explanations/" + first["links"][0]["url"].rsplit("/", 1)[1])

    assert first["extension"]["org.mllm-cds.result"]["job"] == second["extension"]["org.mllm-cds.result"]["job"]
    assert page.status_code == 200


def test_body_beyond_the_limit_is_cut_off(tmp_path: Path) -> None:
    """A body that only shows its size while it comes is refused on a real connection too."""
    pieces = (b" " * 1024 for _ in range(64))
    with serving(tmp_path, CDS_MAX_BODY_BYTES="4096") as (url, _):
        response = httpx.post(
            f"{url}/cds-services/mllm-diagnosis", content=pieces, headers={"Content-Type": "application/json"}
        )

    assert response.status_code == 413


def test_database_that_is_down_does_not_keep_the_service_from_starting(tmp_path: Path) -> None:
    """Without its database the process lives, says that it is not ready, and names the part."""
    database = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    with serving(tmp_path, CDS_DATABASE_URL=database) as (url, _):
        health, ready = httpx.get(f"{url}/healthz"), httpx.get(f"{url}/readyz")
        hook = httpx.post(f"{url}/cds-services/mllm-diagnosis", json=make_hook())

    assert (health.status_code, ready.status_code, ready.json()["parts"]["database"]) == (200, 503, "down")
    assert (hook.status_code, hook.json()["issue"][0]["code"]) == (503, "no-store")
