"""ModelInputs -> Prediction: run the graph, ask whether the case is one it knows, calibrate what it says."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from fhir_adapter.record import Modality, PatientRecord
from inference import scope
from inference.backends import Backend, BackendError
from inference.calibrate import mask_of, prediction_set, probabilities
from inference.checkpoint import Checkpoint
from inference.contract import DIAGNOSES, FloatArray, ModelInputs, ModelOutputs
from inference.encode import present_modalities
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
        shares = probabilities(logits, calibration.temperature)
        places = prediction_set(shares, calibration.quantiles[mask_of(modalities)])
        unsure = len(places) > 1
        names = ", ".join(DIAGNOSES[place].name for place in sorted(places, key=lambda place: -shares[place]))
        reason = f"At {calibration.coverage:.0%} coverage none of these can be excluded: {names}."
        return Prediction(
            tuple(Likelihood(diagnosis, float(share)) for diagnosis, share in zip(DIAGNOSES, shares, strict=True)),
            tuple(DIAGNOSES[place].key for place in places),
            calibration.coverage,
            Verdict.UNSURE if unsure else Verdict.ANSWER,
            (reason,) if unsure else (),
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
