"""The second tier on a real graph that has learned nothing: whole, finite, exact and the same each time."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest

from explain import tested as found
from explain.explainer import explain
from explain.second import CheckInputs, check_case, check_inputs
from fhir_adapter.record import PatientRecord
from inference.backends import open_backend
from inference.backends.cut import Part
from inference.checkpoint import Checkpoint
from inference.encode import Encoder
from inference.explore import Explorer
from inference.predict import Predictor
from tests.inference import records
from tests.inference.tiny_checkpoint import make_checkpoint

MARKUP = "<script>alert('fever')</script> & <b>cough</b> crackles heard on the left lung " * 40
FULL = tuple(
    records.make_measurement(key, value)
    for key, value in {"crp": 80.0, "temperature": 39.1, "wbc": 14.0, "neutrophils": 9.0, "spo2": 93.0}.items()
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def explorer(tiny: Checkpoint) -> Explorer:
    return Explorer(tiny)


def case_of(tiny: Checkpoint, record: PatientRecord) -> CheckInputs:
    """Answer and explain a chart, whatever the scope gate says of it, and take what its check needs."""
    predictor = Predictor(tiny, open_backend(tiny, triton_url=None))
    inputs = Encoder(tiny).encode(record, records.ASKED_AT)
    _, outputs = predictor.predict(inputs, record, records.ASKED_AT)
    modalities = tuple(
        name
        for name, there in (("image", inputs.film), ("text", inputs.note), ("structured", any(inputs.used)))
        if there
    )
    prediction = predictor.answer(outputs.logits, modalities)  # type: ignore[arg-type]
    return check_inputs(inputs, outputs, prediction, explain(record, inputs, outputs, prediction, tiny.card))


def chart(**changes: Any) -> PatientRecord:
    return records.make_record(**{"measurements": FULL, **changes})


def figures(tested: found.Tested) -> list[float]:
    """Return every number of some findings."""
    parts: tuple[Any, ...] = (*tested.groups, *tested.zones, *tested.words, *tested.fidelity, *tested.helps)
    return [tested.residual, *(value for part in parts for value in astuple(part) if isinstance(value, float))]


CHARTS: dict[str, dict[str, Any]] = {
    "everything": {},
    "film only": {"measurements": (), "notes": ()},
    "note only": {"measurements": (), "films": ()},
    "labs only": {"notes": (), "films": ()},
    "no film": {"films": ()},
    "no note": {"notes": ()},
    "one value": {"measurements": (records.make_measurement(),)},
    "one grey level": {"films": (records.make_film(pixels=np.full((90, 70), 0.5, np.float32)),)},
    "a value that is none": {"measurements": (*FULL, records.make_measurement("sodium", float("nan")))},
    "markup": {"notes": (records.make_note(text=MARKUP),)},
    "one word": {"notes": (records.make_note(text="fever"),)},
    "right to left": {"notes": (records.make_note(text="حمى وسعال منذ ثلاثة أيام"),)},
    "empty note": {"notes": (records.make_note(text="  "),)},
}


@pytest.mark.parametrize("changes", CHARTS.values(), ids=CHARTS.keys())
def test_every_chart_is_checked_to_the_end(tiny: Checkpoint, explorer: Explorer, changes: dict[str, Any]) -> None:
    """Whatever is missing or odd, the figures are figures and the bars add up to the share that is shown."""
    tested = check_case(case_of(tiny, chart(**changes)), explorer)
    assert np.isfinite(figures(tested)).all()
    assert tested.residual <= 1e-6


def test_each_modality_that_is_there_is_tested(tiny: Checkpoint, explorer: Explorer) -> None:
    """A full chart has zones, groups and a test of each kind of mark that it has."""
    case = case_of(tiny, chart())
    tested = check_case(case, explorer)
    assert len(tested.zones) == 8
    assert sum(zone.share for zone in tested.zones) == pytest.approx(1.0)
    assert tested.heat_png.startswith(b"\x89PNG")
    assert {"image", "structured"} <= {one.modality for one in tested.fidelity}


def test_the_same_case_is_found_the_same(tiny: Checkpoint, explorer: Explorer) -> None:
    """Stored in between or not, checked twice or once: the findings are equal."""
    case = case_of(tiny, chart())
    first = check_case(case, explorer)
    second = check_case(CheckInputs.from_bytes(case.to_bytes()), explorer)
    assert replace(first, duration_ms=0.0) == replace(second, duration_ms=0.0)


def test_a_waiting_question_goes_first(tiny: Checkpoint) -> None:
    """The check gives way before every single run of the model."""
    runs: list[str] = []

    class Counting(Explorer):
        def _run(self, part: Part, arrays: Any, most: int, output: str) -> Any:
            runs.append("run")
            return super()._run(part, arrays, most, output)

    pauses: list[None] = []
    check_case(case_of(tiny, chart()), Counting(tiny, pause=lambda: pauses.append(None)))
    assert len(pauses) >= len(runs) > 10


def test_an_answer_of_another_model_is_refused(tiny: Checkpoint, explorer: Explorer) -> None:
    """What one model answered cannot be checked with another."""
    case = replace(case_of(tiny, chart()), model_digest="0" * 64)
    with pytest.raises(ValueError, match="another model"):
        check_case(case, explorer)
