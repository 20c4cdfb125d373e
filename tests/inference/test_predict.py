from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from fhir_adapter.record import Demographics, PatientRecord, Source
from inference.backends import Backend, BackendError
from inference.backends.protocol import Array, Arrays
from inference.calibrate import NEVER
from inference.checkpoint import Checkpoint
from inference.contract import ANSWER_NAMES, DIAGNOSES, Tensor
from inference.encode import Encoder
from inference.manifest import MASKS, Selection
from inference.predict import Predictor
from inference.prediction import Prediction, Verdict
from tests.inference.records import ASKED_AT, make_film, make_note, make_record
from tests.inference.test_words import GERMAN
from tests.inference.tiny_checkpoint import make_gate


class FixedLogits:
    """The real graph, but with logits that the test chooses."""

    def __init__(self, backend: Backend, logits: Sequence[float]) -> None:
        self.backend, self.logits = backend, np.array([logits], np.float32)

    def run(self, arrays: Arrays, outputs: Sequence[str] = ANSWER_NAMES) -> dict[str, Array]:
        """Answer with the chosen logits."""
        return {**self.backend.run(arrays, outputs), Tensor.LOGITS: self.logits}

    def healthy(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Nothing to give back."""


def predict(predictor: Predictor, record: PatientRecord) -> Prediction:
    inputs = Encoder(predictor.checkpoint).encode(record, ASKED_AT)
    return predictor.predict(inputs, record, ASKED_AT)[0]


def test_clear_case_is_an_answer(tiny: Checkpoint, backend: Backend) -> None:
    """One diagnosis in the set is an answer, with the softmax of the logits over the temperature."""
    prediction = predict(Predictor(tiny, FixedLogits(backend, [0, 8, 0])), make_record())

    assert (prediction.verdict, prediction.prediction_set, prediction.reasons) == (Verdict.ANSWER, ("bacterial",), ())
    assert prediction.top.probability == pytest.approx(np.exp(4) / (np.exp(4) + 2))


def test_unclear_case_is_unsure_and_says_between_what(tiny: Checkpoint, backend: Backend) -> None:
    """Two diagnoses in the set are no answer; the sentence names both, the likelier one first."""
    prediction = predict(Predictor(tiny, FixedLogits(backend, [0, 4, 4.2])), make_record())

    assert (prediction.verdict, prediction.prediction_set) == (Verdict.UNSURE, ("bacterial", "viral"))
    assert prediction.reasons == (
        "At 90% coverage none of these can be excluded: Viral pneumonia, Bacterial pneumonia.",
    )


def test_likelihoods_are_in_label_order_and_add_up(predictor: Predictor) -> None:
    """Every diagnosis has its probability, in the order of the contract."""
    prediction = predict(predictor, make_record())

    assert tuple(likelihood.diagnosis for likelihood in prediction.likelihoods) == DIAGNOSES
    assert sum(likelihood.probability for likelihood in prediction.likelihoods) == pytest.approx(1)


def test_prediction_says_where_it_came_from(predictor: Predictor, tiny: Checkpoint) -> None:
    """A prediction carries the checkpoint, the digest of its graph and the modalities it used."""
    prediction = predict(predictor, make_record(notes=()))

    assert (prediction.checkpoint, prediction.model_digest) == ("tiny 0.0.1", tiny.digest)
    assert prediction.modalities == ("image", "structured")


def test_quantile_is_that_of_the_modalities_there(tiny: Checkpoint, backend: Backend) -> None:
    """A case without a film is judged by the quantile of cases without a film."""
    quantiles = {**tiny.calibration.quantiles, "text+structured": 0.99}
    careful = replace(tiny, calibration=replace(tiny.calibration, quantiles=quantiles))
    predictor = Predictor(careful, FixedLogits(backend, [0, 4, 0]))

    assert predict(predictor, make_record()).verdict is Verdict.ANSWER
    assert predict(predictor, make_record(films=())).verdict is Verdict.UNSURE


def with_threshold(checkpoint: Checkpoint, least: float) -> Checkpoint:
    selection = Selection(0.15, 0.1, dict.fromkeys(MASKS, least))
    return replace(checkpoint, calibration=replace(checkpoint.calibration, selection=selection))


def test_improbable_answer_is_unsure_and_says_how_improbable(tiny: Checkpoint, backend: Backend) -> None:
    """One diagnosis alone in the set is no answer below the threshold; the sentence gives both figures."""
    prediction = predict(Predictor(with_threshold(tiny, 0.97), FixedLogits(backend, [0, 8, 0])), make_record())

    assert (prediction.verdict, prediction.prediction_set) == (Verdict.UNSURE, ("bacterial",))
    assert prediction.reasons == (
        "Bacterial pneumonia is the likeliest, but with 96% it stays below the 97% from which on, with what is there "
        "(image, text, structured), at most 15% of the answers are wrong.",
    )


def test_probable_answer_is_an_answer(tiny: Checkpoint, backend: Backend) -> None:
    """From the threshold on the verdict is an answer, without a reason."""
    prediction = predict(Predictor(with_threshold(tiny, 0.96), FixedLogits(backend, [0, 8, 0])), make_record())

    assert (prediction.verdict, prediction.reasons) == (Verdict.ANSWER, ())


def test_threshold_is_that_of_the_modalities_there(tiny: Checkpoint, backend: Backend) -> None:
    """Where no threshold was found for a set of modalities, the model never answers from it, and says so."""
    selection = Selection(0.15, 0.1, {**dict.fromkeys(MASKS, 0.5), "text": NEVER})
    careful = replace(tiny, calibration=replace(tiny.calibration, selection=selection))
    predictor = Predictor(careful, FixedLogits(backend, [0, 90, 0]))

    assert predict(predictor, make_record()).verdict is Verdict.ANSWER
    assert (
        predict(predictor, make_record(films=(), measurements=()))
        .reasons[0]
        .startswith("With what is there (text) this model never answers")
    )


def test_each_doubt_has_its_sentence(tiny: Checkpoint, backend: Backend) -> None:
    """Two diagnoses in the set and a low probability are two reasons."""
    prediction = predict(Predictor(with_threshold(tiny, 0.9), FixedLogits(backend, [0, 4, 4.2])), make_record())

    assert [reason.split(" ", 1)[0] for reason in prediction.reasons] == ["At", "Viral"]


def born(day: date | None) -> Demographics:
    return Demographics(day, "male", Source("Patient/child", "1"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"demographics": born(None)}, "No birth date is on file"),
        ({"demographics": born(date(2025, 3, 10))}, "age is not one this model is for"),
        ({"demographics": born(date(2020, 3, 1))}, "age is not one this model is for"),
        ({"demographics": born(date(1980, 1, 1))}, "12 to under 72 months"),
        ({"films": (make_film(view="LL"),)}, "radiograph's view is not one this model reads (AP, PA)"),
        ({"films": (make_film(body_part="HAND"),)}, "radiograph's body part"),
        ({"films": (make_film(modality="CT"),)}, "radiograph's modality"),
        ({"notes": (make_note(text=GERMAN),)}, "does not read as the English clinical text"),
        ({"films": (), "notes": (), "measurements": ()}, "no current radiograph, note or measurement"),
    ],
)
def test_case_out_of_scope_gets_a_reason_and_no_figure(
    predictor: Predictor, changes: dict[str, object], sentence: str
) -> None:
    """What the model does not know comes back as out of scope: no probability, no diagnosis, one sentence why."""
    prediction = predict(predictor, make_record(**changes))

    assert (prediction.verdict, prediction.likelihoods, prediction.prediction_set) == (Verdict.OUT_OF_SCOPE, (), ())
    assert len(prediction.reasons) == 1
    assert sentence in prediction.reasons[0]


@pytest.mark.parametrize("day", [date(2025, 3, 1), date(2020, 3, 10)])
def test_first_and_last_day_of_the_ages_are_in_scope(predictor: Predictor, day: date) -> None:
    """A child just one year old and one just short of six are judged."""
    assert predict(predictor, make_record(demographics=born(day))).verdict is not Verdict.OUT_OF_SCOPE


@pytest.mark.parametrize("changes", [{"view": " pa "}, {"view": ""}, {"body_part": "chest"}, {"modality": "cr"}])
def test_unstated_or_oddly_written_attributes_are_accepted(predictor: Predictor, changes: dict[str, str]) -> None:
    """DICOM text is compared without case and padding; an unstated view is left to the image gate."""
    assert predict(predictor, make_record(films=(make_film(**changes),))).verdict is not Verdict.OUT_OF_SCOPE


def test_strange_picture_is_refused_by_its_feature(tiny: Checkpoint, backend: Backend) -> None:
    """A picture far from every film of the training is refused although its attributes are right."""
    narrow = replace(tiny, gate=make_gate(np.full(6, 5.0)))
    prediction = predict(Predictor(narrow, backend), make_record())

    assert prediction.reasons == ("The radiograph does not look like the films this model was trained on.",)


def test_reason_names_what_the_picture_looks_like(tiny: Checkpoint, backend: Backend) -> None:
    """Where the gate surely knows the kind of thing, the sentence says it."""
    narrow = replace(tiny, gate=make_gate(np.array([-9.0, 0, 0, 0, 0, 0])))
    prediction = predict(Predictor(narrow, backend), make_record())

    assert prediction.reasons == (
        "The radiograph does not look like the films this model was trained on: it looks like an adult's.",
    )


def test_film_is_refused_once(tiny: Checkpoint, backend: Backend) -> None:
    """A lateral film is refused as lateral; that it also looks strange is no second reason."""
    narrow = replace(tiny, gate=make_gate(np.full(6, 5.0)))
    prediction = predict(Predictor(narrow, backend), make_record(films=(make_film(view="LL"),)))

    assert prediction.reasons == ("The radiograph's view is not one this model reads (AP, PA).",)


@pytest.mark.parametrize("changes", [{}, {"films": ()}])
def test_gate_asks_only_about_a_film_and_only_where_there_is_one(
    tiny: Checkpoint, backend: Backend, changes: dict[str, object]
) -> None:
    """Without a film there is nothing to refuse, and without a gate nobody to refuse it."""
    gate = None if not changes else make_gate(np.full(6, 5.0))
    prediction = predict(Predictor(replace(tiny, gate=gate), backend), make_record(**changes))

    assert prediction.verdict is not Verdict.OUT_OF_SCOPE


def test_all_reasons_are_given(predictor: Predictor) -> None:
    """An adult with a lateral film and a German note is told all three."""
    record = make_record(
        demographics=born(date(1980, 1, 1)), films=(make_film(view="LL"),), notes=(make_note(text=GERMAN),)
    )

    assert len(predict(predictor, record).reasons) == 3


def test_reasons_hold_no_patient_data(predictor: Predictor) -> None:
    """A sentence about a film or a note repeats nothing that was typed into the chart."""
    record = make_record(films=(make_film(body_part="MILLER JOHN"),), notes=(make_note(text=GERMAN),))
    told = " ".join(predict(predictor, record).reasons)

    assert "MILLER" not in told
    assert "Fieber" not in told


def test_outputs_come_without_their_batch_axis(predictor: Predictor) -> None:
    """Explanations read the same run that answered, one patient at a time."""
    record = make_record()
    _, outputs = predictor.predict(Encoder(predictor.checkpoint).encode(record, ASKED_AT), record, ASKED_AT)

    assert outputs.logits.shape == (3,)
    np.testing.assert_allclose(outputs.subset_logits[7], outputs.logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_figures_that_are_none_are_refused(tiny: Checkpoint, backend: Backend, bad: float) -> None:
    """A graph that breaks down gives an error and never a diagnosis."""
    with pytest.raises(BackendError, match="not finite"):
        predict(Predictor(tiny, FixedLogits(backend, [0, bad, 0])), make_record())
