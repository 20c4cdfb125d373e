"""The real pipeline on a checkpoint that has learned nothing: every part is there but the knowledge."""

from __future__ import annotations

import base64
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import HttpUrl, SecretStr

from cds_hooks.app import create_app
from cds_hooks.engine import open_engine
from cds_hooks.judgement import second_from_bytes, second_to_bytes
from cds_hooks.mllm_pipeline import MllmPipeline
from cds_hooks.pipeline import Case
from cds_hooks.right_of_way import Stopped
from fhir_adapter.auth.grant import Grant
from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import ChartUnavailable, ServerNotAllowed
from fhir_adapter.record import GapReason
from fhir_adapter.settings import BackendClient, FhirSettings
from inference.backends import BackendUnavailable
from inference.checkpoint import Checkpoint, CheckpointError
from inference.prediction import Verdict
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import (
    PATIENT_ID,
    SERVER,
    TOKEN,
    make_bundle,
    make_hook,
    make_observation,
    make_patient,
    make_prefetch,
)
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.servers import free_port

NOW = datetime.now(UTC)
IN_TIME = Deadline.after(86_400)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Return a checkpoint with a graph of the right form."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest_asyncio.fixture
async def pipeline(tiny: Checkpoint) -> AsyncIterator[MllmPipeline]:
    """Return the pipeline of a worker."""
    pipeline = await MllmPipeline.open(tiny, make_settings(), FhirSettings())
    yield pipeline
    await pipeline.close()


def recent(number: int = 1) -> dict[str, Any]:
    """Return a CRP of an hour ago."""
    return make_observation(number, effectiveDateTime=(NOW - timedelta(hours=1)).isoformat())


def note(text: str) -> dict[str, Any]:
    """Return a note of an hour ago."""
    return {
        "resourceType": "DocumentReference",
        "id": "note-1",
        "status": "current",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "date": (NOW - timedelta(hours=1)).isoformat(),
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}],
    }


def young() -> dict[str, Any]:
    """Return a patient of three years."""
    return make_patient(birthDate=(NOW - timedelta(days=3 * 365)).date().isoformat())


def make_case(**changes: Any) -> Case:
    """Return a case with a value and a note."""
    chart = Chart(young(), observations=(recent(),), documents=(note("child with fever and cough for three days"),))
    fields = {"patient_id": PATIENT_ID, "fhir_server": None, "grant": None, "chart": chart, "prefetch": None}
    return Case(**{**fields, "asked_at": NOW, **changes})


async def test_case_becomes_prediction_and_evidence(pipeline: MllmPipeline) -> None:
    """From a chart come a calibrated prediction and an explanation of the same modalities, with the times they took."""
    judgement = await pipeline.judge(make_case(), IN_TIME)

    assert set(judgement.prediction.modalities) == {"text", "structured"}
    assert {row.key for row in judgement.explanation.measurements} >= {"crp"}
    assert judgement.explanation.note is not None
    assert 0 < judgement.model_ms <= judgement.job_ms


async def test_answer_is_checked_with_the_same_graph(pipeline: MllmPipeline) -> None:
    """What the answer leaves for its check is enough to check it: between runs of the graph it pauses, and it ends."""
    judgement = await pipeline.judge(make_case(), IN_TIME)
    paused: list[str] = []
    assert judgement.check is not None
    tested = await pipeline.check(judgement.check, lambda: paused.append(threading.current_thread().name))

    assert {one.modality for one in tested.fidelity} == {"text", "structured"}
    assert len(paused) > 10
    assert {name.rpartition("_")[0] for name in paused} == {"check"}
    assert second_from_bytes(second_to_bytes(tested)[0]) == tested


async def test_check_ends_where_it_is_told_to(pipeline: MllmPipeline) -> None:
    """A check that may not go on raises what its pause raised, and the next one is not harmed by it."""
    judgement = await pipeline.judge(make_case(), IN_TIME)
    assert judgement.check is not None

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        await pipeline.check(judgement.check, stop)
    assert await pipeline.check(judgement.check, lambda: None)


async def test_check_of_another_version_is_refused(pipeline: MllmPipeline) -> None:
    """What an earlier version left for a check is an error with a sentence, not a wrong finding."""
    with pytest.raises(ValueError, match="cannot be read"):
        await pipeline.check(b"from another time", lambda: None)


async def test_checks_can_be_turned_off(tiny: Checkpoint) -> None:
    """Without checks nothing is left for one."""
    pipeline = await MllmPipeline.open(tiny, make_settings(checks=False), FhirSettings())
    judgement = await pipeline.judge(make_case(), IN_TIME)
    await pipeline.close()

    assert judgement.check is None


async def test_what_is_missing_is_said(pipeline: MllmPipeline) -> None:
    """A chart without a radiograph is judged, and says so."""
    judgement = await pipeline.judge(make_case(), IN_TIME)

    assert [text for text in judgement.explanation.missing if "radiograph" in text]


async def test_uncollected_case_is_collected_by_the_worker(pipeline: MllmPipeline) -> None:
    """Where the hook had no time to collect, the worker reads what was prefetched itself."""
    prefetch = make_prefetch(patient=young(), labs=make_bundle(recent()))
    judgement = await pipeline.judge(make_case(chart=None, prefetch=prefetch), IN_TIME)

    assert {row.key for row in judgement.explanation.measurements} >= {"crp"}


async def test_without_a_patient_there_is_nothing_to_judge(pipeline: MllmPipeline) -> None:
    """The worker cannot judge what neither it nor the hook could read."""
    with pytest.raises(ChartUnavailable):
        await pipeline.judge(make_case(chart=None, prefetch={}), IN_TIME)


async def test_adult_is_not_judged(pipeline: MllmPipeline) -> None:
    """Outside the scope there is a reason, no probability and no draft."""
    chart = Chart(make_patient(birthDate="1980-01-01"), observations=(recent(),))
    judgement = await pipeline.judge(make_case(chart=chart), IN_TIME)

    assert judgement.prediction.verdict is Verdict.OUT_OF_SCOPE
    assert (judgement.prediction.likelihoods, judgement.draft, judgement.check) == ((), None, None)


async def test_worker_contacts_allowed_servers_only(tiny: Checkpoint) -> None:
    """The worker checks the address again: a job could have been made before the list was shortened."""
    fhir = FhirSettings(allowed_servers=(HttpUrl("https://only.example.org/fhir"),))
    pipeline = await MllmPipeline.open(tiny, make_settings(), fhir)
    with pytest.raises(ServerNotAllowed):
        await pipeline.judge(make_case(fhir_server=SERVER, grant=Grant(SecretStr(TOKEN))), IN_TIME)
    await pipeline.close()


@pytest.mark.parametrize("own", [True, False])
async def test_worker_uses_its_own_access_for_its_own_cases_only(tiny: Checkpoint, tmp_path: Path, own: bool) -> None:  # noqa: FBT001
    """A case of a hook is read with what the hook granted; one that nobody asked about, with our registration."""
    server = f"http://127.0.0.1:{free_port()}/fhir"
    registered = BackendClient(client_id="mllm-cds", keys=tmp_path / "missing.json", token_url=HttpUrl(server))
    fhir = FhirSettings(allowed_servers=(HttpUrl(server),), clients={HttpUrl(server): registered})
    pipeline = await MllmPipeline.open(tiny, make_settings(), fhir)
    with pytest.raises(ChartUnavailable) as caught:
        await pipeline.judge(make_case(fhir_server=server, chart=None, own_access=own), IN_TIME)
    await pipeline.close()

    # Without its keys our own access is refused before the server, which is down, is asked.
    assert caught.value.reason is (GapReason.REFUSED if own else GapReason.FAILED)


async def test_model_is_healthy_while_it_answers(pipeline: MllmPipeline) -> None:
    """The model is asked about nobody, and answers."""
    assert await pipeline.healthy()


async def test_unreachable_triton_is_noticed(tiny: Checkpoint) -> None:
    """With a Triton that is not there the pipeline is not healthy, and a case fails as a model that is down."""
    pytest.importorskip("tritonclient.grpc", reason="the extra [production] is not installed")
    pipeline = await MllmPipeline.open(tiny, make_settings(triton_url="127.0.0.1:1"), FhirSettings())
    healthy = await pipeline.healthy()
    with pytest.raises(BackendUnavailable):
        await pipeline.judge(make_case(), IN_TIME)
    await pipeline.close()

    assert not healthy


async def test_service_opens_its_checkpoint(tiny: Checkpoint) -> None:
    """A service that is told a checkpoint answers hooks with it, and its page shows the same model."""
    settings = make_settings(checkpoint=tiny.folder)
    app = create_app(settings, FhirSettings())
    hook = make_hook(prefetch=make_prefetch(patient=young(), labs=make_bundle(recent())))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cds.test") as client,
    ):
        response = await client.post("/cds-services/mllm-diagnosis", json=hook)
        page = await client.get(response.json()["cards"][0]["links"][0]["url"])

    assert response.json()["cards"][0]["extension"]["org.mllm-cds.result"]["modelDigest"] == tiny.digest
    assert (page.status_code, "Made-up patients" in page.text) == (200, True)


def test_missing_checkpoint_is_said_at_once(tmp_path: Path) -> None:
    """A service without a model does not start and wait for a patient to find out."""
    with pytest.raises(CheckpointError):
        open_engine(make_settings(checkpoint=tmp_path), FhirSettings())
