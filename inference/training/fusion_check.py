"""Real films and real laboratory values -> whether the two together tell more than each alone: "ICU ever".

The one check of fusion here in which nothing is simulated. The protocol was fixed before the first run:

- One row a patient, by the rules of `inference.training.severity_rows`; none of it was ever trained on.
- Image: the pooled image feature of the served graph, standardised, 8 whitened principal components, logistic
  regression. Laboratory: values standardised, a missing one at the median, and one indicator a value for missing;
  logistic regression. Both: the two sets of columns side by side, logistic regression. All with an L2 penalty of
  C = 0.1. A second fusion, `both_late`, is the mean of the log-odds of image alone and laboratory alone.
- Everything that is fitted, scaling and components too, is fitted inside the fold: 5 folds, stratified, 20 times with
  other folds; a patient's score is the mean of the 20 log-odds that were given without having seen the patient.
- Areas under the ROC curve with 95 % intervals, and their differences paired, by drawing patients. The intervals hold
  the chance of who was in the sample, not that of fitting again.
- `bedside` is the projection alone (AP, so the patient could not stand): what the image can tell about intensive care
  without seeing a lung.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from inference.figures import Figure
from inference.training.data.films import FolderError
from inference.training.resampling import Doubles, interval, patient_weights, weighted_auc
from inference.training.robustness.charts import film_chart, read_pixels
from inference.training.robustness.judge import Judge
from inference.training.severity_rows import Patients

FOLDS: Final = 5
REPEATS: Final = 20
COMPONENTS: Final = 8
PENALTY: Final = 0.1
Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of N patients: image features (N, W), laboratory values (N, LABS) with NaN, `icu` (N,)."""

    image: npt.NDArray[np.floating]
    labs: Doubles
    icu: Truth


def image_columns(width: int) -> Pipeline:
    """Return what turns image features (N, width) into columns; a narrow feature keeps all its components."""
    return make_pipeline(StandardScaler(), PCA(min(COMPONENTS, width), whiten=True, random_state=0))


def lab_columns() -> FeatureUnion:
    """Return what turns laboratory values into columns, and into indicators of what is missing."""
    known = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    return make_union(known, make_pipeline(MissingIndicator(features="all"), StandardScaler()))


def held_out_scores(
    columns: Pipeline | FeatureUnion | ColumnTransformer, rows: Doubles, truth: Truth, repeats: int
) -> Doubles:
    """Return the log-odds of each patient from models that never saw the patient, mean over the repeats, (N,)."""
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=0)
    total = np.zeros(len(truth))
    for seen, unseen in folds.split(rows, truth):
        model = make_pipeline(clone(columns), LogisticRegression(C=PENALTY, max_iter=1000))
        total[unseen] += model.fit(rows[seen], truth[seen]).decision_function(rows[unseen])
    return total / repeats


def score_systems(known: Columns, repeats: int = REPEATS) -> dict[str, Doubles]:
    """Return the held-out log-odds of each system, (N,)."""
    width, features = known.image.shape[1], known.image.astype(np.float64)
    side_by_side = make_column_transformer((image_columns(width), slice(0, width)), (lab_columns(), slice(width, None)))
    image = held_out_scores(image_columns(width), features, known.icu, repeats)
    labs = held_out_scores(lab_columns(), known.labs, known.icu, repeats)
    both = held_out_scores(side_by_side, np.hstack([features, known.labs]), known.icu, repeats)
    return {"image": image, "labs": labs, "both": both, "both_late": (image + labs) / 2}


def compare(scores: dict[str, Doubles], icu: Truth) -> list[Figure]:
    """Return the AUC of each system, and of each fusion minus each part, with intervals by patients."""
    count = len(icu)
    weights = patient_weights([str(number) for number in range(count)])
    once = {name: float(weighted_auc(icu, row, np.ones((1, count)))[0]) for name, row in scores.items()}
    draws = {name: weighted_auc(icu, row, weights) for name, row in scores.items()}
    figures = [Figure(f"severity.{name}.auc", once[name], "1", count, *interval(draws[name])) for name in scores]
    for fusion in ("both", "both_late"):
        for part in ("image", "labs"):
            ends = interval(draws[fusion] - draws[part])
            figures.append(Figure(f"severity.{fusion}_minus_{part}.auc", once[fusion] - once[part], "1", count, *ends))
    return figures


def check_counts(icu: Truth) -> None:
    """Refuse a set too small for the protocol.

    Raises:
        FolderError: a fold would lack patients of one kind, or have fewer of them than components.
    """
    least = min(int(icu.sum()), int((~icu).sum()))
    if least < FOLDS or len(icu) * (FOLDS - 1) // FOLDS <= COMPONENTS:
        raise FolderError(
            f"{len(icu)} patients can be judged, {least} of the rarer outcome: {FOLDS}-fold cross-validation needs "
            f"{FOLDS} of each and {2 * COMPONENTS} in all"
        )


def fusion_figures(judge: Judge, patients: Patients, repeats: int = REPEATS) -> list[Figure]:
    """Run the protocol; raises FolderError as `check_counts` does."""
    check_counts(patients.icu)
    seen = judge.look([film_chart(read_pixels(film.path)) for film in patients.films])
    features = np.stack([item.outputs.image_feature for item in seen])
    scores = score_systems(Columns(features, patients.labs, patients.icu), repeats)
    count = len(patients.icu)
    return [
        *compare(scores | {"bedside": patients.bedside.astype(np.float64)}, patients.icu),
        Figure("severity.patients", count, "1", count),
        Figure("severity.icu_patients", int(patients.icu.sum()), "1", count),
        Figure("severity.left_out", patients.left_out, "1", count + patients.left_out),
    ]
