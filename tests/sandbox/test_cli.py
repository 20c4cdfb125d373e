from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson
import pytest
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.commands.running import bind
from cds_hooks.sandbox.cases import load_cases
from tests.sandbox.live import open_checkpoint

COMMANDS = ("demo", "serve", "worker", "fire", "doctor", "seed", "bench hook", "train", "evaluate", "export")
LIMIT_S = 120


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything a command logs, a checkpoint that judges every child, and nothing of the tester's own settings."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("CDS_", "FHIR_"))}
    folder = tmp_path_factory.mktemp("cli")
    checkpoint = open_checkpoint(folder / "checkpoint")
    return own | {
        "CDS_CHECKPOINT": str(checkpoint),
        "CDS_STATE_DIR": str(folder / "state"),
        "CDS_LOG_LEVEL": "DEBUG",
        "COLUMNS": "100",
    }


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cds_hooks.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.fixture(scope="module")
def demo(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run(environment, "demo", "--once")


def test_demo_ends_well(demo: subprocess.CompletedProcess[str]) -> None:
    """`demo --once` fires every sample patient, prints the cards and ends with 0."""
    assert demo.returncode == 0, demo.stderr[-2000:]
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/explanations/\S+", demo.stdout)) == len(load_cases())


def test_demo_names_every_case(demo: subprocess.CompletedProcess[str]) -> None:
    """Each patient's card stands under the title of the case."""
    for case in load_cases():
        assert re.search(rf"^{re.escape(case.title)}  \d+ ms$", demo.stdout, re.MULTILINE)


def patient_data() -> Iterator[str]:
    """Yield names, ids and the longer words of the notes of all sample patients."""
    for case in load_cases():
        yield from (case.id, case.name.family, *case.name.given)
        yield from (word for note in case.notes for text in note.text for word in re.findall(r"[a-z]{9,}", text))


def test_demo_logs_no_patient_data(demo: subprocess.CompletedProcess[str]) -> None:
    """Whatever the log level, the log holds no name, no id and no word of a note."""
    logged = [line for line in demo.stderr.splitlines() if line.startswith("{")]

    assert any(orjson.loads(line)["event"] == "job_done" for line in logged)
    logged_words = set(re.findall(r"[\w-]+", demo.stderr.lower()))
    assert not logged_words & {word.lower() for word in patient_data()}


def test_terminal_shows_no_name(demo: subprocess.CompletedProcess[str]) -> None:
    """The cards on the terminal say what a card says: not who the patient is."""
    identifiers = [word for case in load_cases() for word in (case.id, case.name.family, *case.name.given)]
    assert not [word for word in identifiers if word in demo.stdout]


@contextmanager
def running_demo(environment: dict[str, str], errors: IO[str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the demonstration until the context ends."""
    command = [sys.executable, "-m", "cds_hooks.cli", "demo", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_demo_serves_until_ctrl_c(environment: dict[str, str], tmp_path: Path) -> None:
    """On a taken port the demonstration takes another one and says so; Ctrl-C ends it with 0 and no traceback."""
    with bind("127.0.0.1", 0) as taken, (tmp_path / "errors").open("w+") as errors:
        with running_demo(environment, errors, "--port", str(taken.getsockname()[1])) as process:
            assert process.stdout is not None
            shown = []
            for line in process.stdout:
                shown.append(line)
                if line.startswith("Ctrl-C"):
                    break
            process.send_signal(signal.SIGINT)
            status = process.wait(LIMIT_S)
        errors.seek(0)

        assert (status, "Traceback" in errors.read()) == (0, False)
        assert "is taken" in shown[0]
        assert any(re.search(r"http://127\.0\.0\.1:\d+/chart", line) for line in shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(command: str) -> None:
    """The help of each command ends in an example that can be copied."""
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0
    assert f"mllm-cds {command}" in shown.output.partition("Example:")[2]


def test_help_imports_nothing_heavy() -> None:
    """Asking what there is costs no time: no model, web server, FHIR or DICOM library is imported for it."""
    heavy = ("onnxruntime", "torch", "pydicom", "fastapi", "celery", "sqlalchemy", "numpy", "httpx")
    code = f"import sys, cds_hooks.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT_S, check=True)

    assert done.stdout.strip() == "[]"


def test_commands_never_import_pytorch(environment: dict[str, str]) -> None:
    """What serves runs without torch, also when it happens to be installed."""
    modules = "cds_hooks.sandbox.demonstration, cds_hooks.commands.running, cds_hooks.commands.hook_benchmark"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT_S, check=True)

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fire", "p-1", "--fhir", "http://127.0.0.1:9/fhir", "--service", "http://127.0.0.1:9"), "no answer"),
        (("seed", "--fhir", "http://127.0.0.1:9/fhir", "--dicomweb", "http://127.0.0.1:9/d"), "no answer"),
        (("worker",), "memory://"),
    ],
)
def test_failure_is_one_sentence(environment: dict[str, str], arguments: tuple[str, ...], said: str) -> None:
    """A command that cannot do its work says why on stderr and ends with 1, without a traceback."""
    done = run(environment, *arguments)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert said in done.stderr


def test_wrong_setting_is_told_without_its_value(environment: dict[str, str]) -> None:
    """`serve` refuses a wrong setting by its name and never prints what it was."""
    done = run(environment | {"CDS_SECRET_KEY": "hunter2"}, "serve")

    assert done.returncode == 1
    assert "CDS_SECRET_KEY" in done.stderr
    assert "hunter2" not in done.stderr


def test_taken_port_is_told(environment: dict[str, str]) -> None:
    """`serve` does not move to another port by itself: somebody expects it where it was put."""
    with bind("127.0.0.1", 0) as taken:
        done = run(environment, "serve", "--port", str(taken.getsockname()[1]))

    assert (done.returncode, "choose another with --port" in done.stderr) == (1, True)


def test_hook_benchmark_prints_its_figures(environment: dict[str, str]) -> None:
    """The whole benchmark runs, with processes of its own, and prints nothing but the object."""
    done = run(environment, "bench", "hook", "--cold", "5", "--json")
    assert done.returncode == 0, done.stderr[-2000:]
    figures = {figure["name"]: figure for figure in orjson.loads(done.stdout)["figures"]}

    assert figures["hook.cold_p50_ms"]["n"] == 5
    assert figures["hook.around_model_ratio"]["value"] > 0
