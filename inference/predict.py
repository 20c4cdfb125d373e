"""ModelInputs -> Prediction: run the graph, ask whether the case is one it knows, calibrate what it says."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from fhir_adapter.record import Modality, PatientRecord
from inference import scope
from inference.backends import Backend, BackendError
from inference.calibrate import NEVER, DoubleArray, mask_of, prediction_set, probabilities, sure_enough
from inference.checkpoint import Checkpoint
from inference.contract import DIAGNOSES, FloatArray, ModelInputs, ModelOutputs
from inference.encode import present_modalities
from inference.manifest import Calibration
from inference.prediction import Likelihood, Prediction, Verdict


class Predictor:
    """Answers with one checkpoint, wherever its graph runs."""

    def __init__(self, checkpoint: Checkpoint, backend: Backend) -> None:
        self.checkpoint, self.backend = checkpoint, backend

    def predict(
        self, inputs: ModelInputs, record: PatientRecord, asked_at: datetime
    ) -> tuple[Prediction, ModelOutputs]:
        """Predict for one patient; out of scope is an answer too.

        Raises:
            BackendError: the graph could not be run, or answered with figures that are none.
        """
        outputs = self.run(inputs)
        modalities = present_modalities(inputs)
        reasons = self.objections(inputs, outputs, record, asked_at)
        if reasons:
            return self.refuse(reasons, modalities), outputs
        return self.answer(outputs.logits, modalities), outputs

    def run(self, inputs: ModelInputs) -> ModelOutputs:
        """Run the graph on one patient."""
        found = self.backend.run(inputs.arrays)
        outputs = ModelOutputs(**{name: array[0] for name, array in found.items()})
        if not np.isfinite(outputs.logits).all():
            raise BackendError("the model answered with figures that are not finite: check the exported graph")
        return outputs

    def objections(
        self, inputs: ModelInputs, outputs: ModelOutputs, record: PatientRecord, asked_at: datetime
    ) -> tuple[str, ...]:
        """Collect every reason not to judge this case."""
        limits = self.checkpoint.scope
        film = [] if inputs.film is None else scope.film_objections(inputs.film, limits)
        # A lateral film or a hand is refused by what it states; that it also looks unlike a chest adds nothing.
        film = film or scope.image_objections(inputs, outputs.image_feature, self.checkpoint)
        return (
            *scope.age_objections(record.demographics, limits, asked_at),
            *scope.nothing_to_judge(present_modalities(inputs)),
            *film,
            *scope.note_objections(inputs, self.checkpoint),
        )

    def answer(self, logits: FloatArray, modalities: tuple[Modality, ...]) -> Prediction:
        """Calibrate the logits (CLASSES,) of a case in scope."""
        calibration = self.checkpoint.calibration
        mask = mask_of(modalities)
        shares = probabilities(logits, calibration.temperatures)
        places = prediction_set(shares, calibration.quantiles[mask])
        reasons = (*set_doubts(shares, places, calibration.coverage), *answer_doubts(shares, mask, calibration))
        return Prediction(
            tuple(Likelihood(diagnosis, float(share)) for diagnosis, share in zip(DIAGNOSES, shares, strict=True)),
            tuple(DIAGNOSES[place].key for place in places),
            calibration.coverage,
            Verdict.UNSURE if reasons else Verdict.ANSWER,
            reasons,
            modalities,
            self.checkpoint.identity,
            self.checkpoint.digest,
        )

    def refuse(self, reasons: tuple[str, ...], modalities: tuple[Modality, ...]) -> Prediction:
        """Say that the case is out of scope, with no figure that anybody could take for an answer."""
        checkpoint = self.checkpoint
        return Prediction(
            (),
            (),
            checkpoint.calibration.coverage,
            Verdict.OUT_OF_SCOPE,
            reasons,
            modalities,
            checkpoint.identity,
            checkpoint.digest,
        )


def set_doubts(shares: DoubleArray, places: tuple[int, ...], coverage: float) -> list[str]:
    """Return that more than one diagnosis is in the set, likeliest first."""
    if len(places) == 1:
        return []
    names = ", ".join(DIAGNOSES[place].name for place in sorted(places, key=lambda place: -shares[place]))
    return [f"At {coverage:.0%} coverage none of these can be excluded: {names}."]


def answer_doubts(shares: DoubleArray, mask: str, calibration: Calibration) -> list[str]:
    """Return that the likeliest diagnosis is not likely enough to answer with, given these modalities."""
    selection = calibration.selection
    if selection is None or sure_enough(shares, selection.answer_from[mask]):
        return []
    least, given = selection.answer_from[mask], mask.replace("+", ", ")
    if least >= NEVER:
        return [
            f"With what is there ({given}) this model never answers: when it was calibrated, no probability was found "
            f"from which on at most {selection.error:.0%} of its answers are wrong."
        ]
    top = int(shares.argmax())
    return [
        f"{DIAGNOSES[top].name} is the likeliest, but with {shares[top]:.0%} it stays below the {least:.0%} from which "
        f"on, with what is there ({given}), at most {selection.error:.0%} of the answers are wrong."
    ]
