from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from inference.backends import Backend, BackendError
from inference.backends.cut import ANSWER, CutGraph
from inference.checkpoint import MODEL_NAME, Checkpoint
from inference.encode import Encoder
from inference.predict import Predictor
from inference.prediction import Verdict
from inference.training.data.films import FolderError, read_folder
from inference.training.robustness.charts import ASKED_AT, demographics_of, film_chart
from inference.training.robustness.judge import Judge
from inference.training.robustness.kind import STEPS
from inference.training.robustness.kinds import KINDS
from inference.training.robustness.run import METRICS, Cases, Curve, Point, count_runs, figures_of, measure, pick_films
from tests.inference.batches import random_batch
from tests.inference.training.robustness.subjects import draw_film, subjects, write_folder


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    return Cases.around(read_folder(write_folder(tmp_path, 4)), 7)


@pytest.fixture
def judge(tiny: Checkpoint) -> Judge:
    return Judge(tiny, CutGraph(tiny.model_path))


def test_cut_graph_answers_as_the_whole(tiny: Checkpoint, backend: Backend) -> None:
    """Leaving the explanation out changes no digit of the answer, also in batches that are run in pieces."""
    batch = random_batch(70)
    whole, cut = backend.run(batch, ANSWER), CutGraph(tiny.model_path).run(batch)

    assert all(np.array_equal(whole[name], cut[name]) for name in ANSWER)


def test_verdicts_are_those_of_the_predictor(tiny: Checkpoint, backend: Backend, judge: Judge) -> None:
    """Batches are judged as the service judges one chart after the other."""
    records = [subject.record for subject in subjects()]
    predictor, encoder = Predictor(tiny, backend), Encoder(tiny)
    expected = [predictor.predict(encoder.encode(item, ASKED_AT), item, ASKED_AT)[0] for item in records]
    found = judge.answer(records)

    assert list(found.verdicts) == [item.verdict.value for item in expected]
    for row, item in zip(found.probabilities, expected, strict=True):
        answered = [likelihood.probability for likelihood in item.likelihoods]
        assert not answered or row == pytest.approx(answered, abs=1e-6)


def test_refused_chart_still_has_probabilities(judge: Judge) -> None:
    """What the model would have said is measured beside the refusal."""
    found = judge.answer([film_chart(draw_film(), demographics_of(800, None))])

    assert found.share(Verdict.OUT_OF_SCOPE) == 1
    assert found.probabilities.sum() == pytest.approx(1)


def test_names_are_complete(judge: Judge, cases: Cases) -> None:
    """Each kind has its loss of AUC, and every metric at every step."""
    runs: list[int] = []
    figures = figures_of(measure(judge, cases, lambda: runs.append(1)), len(cases.subjects))
    drops = {f"robustness.{kind.name}.auc_drop" for kind in KINDS}
    steps = {
        f"robustness.{kind.modality}.{kind.name}.{step}.{metric}"
        for kind in KINDS
        for step in range(STEPS)
        for metric in METRICS
    }

    assert {figure.name for figure in figures} == drops | steps
    assert len(figures) == len(drops | steps)
    assert len(runs) == count_runs()


def test_drop_is_step_0_minus_the_strongest() -> None:
    """The loss of AUC and its interval come from step 0 and the last step, paired draw by draw."""
    first, last = (Point({"auc": area}, (0, 1), area + np.array([-0.1, 0.0, 0.1])) for area in (0.9, 0.6))

    assert Curve(KINDS[0], (first, last, last)).drop() == pytest.approx((0.3, 0.3, 0.3))


def test_same_cases_are_drawn_at_every_step(judge: Judge, cases: Cases) -> None:
    """Where a step changes no answer, no draw differs from step 0."""
    bare = replace(cases, subjects=[replace(item, record=replace(item.record, notes=())) for item in cases.subjects])
    [curve] = measure(judge, bare, lambda: None, [kind for kind in KINDS if kind.name == "cut"])

    assert curve.drop() == (0, 0, 0)


def test_change_tells_what_is_not_read(judge: Judge, cases: Cases) -> None:
    """A kind that moves the answer shows in `change`; step 0 never does."""
    [curve] = measure(judge, cases, lambda: None, [kind for kind in KINDS if kind.name == "contrast"])

    assert curve.points[0].metrics["change"] == 0
    assert curve.points[-1].metrics["change"] > 0


def test_films_are_drawn_by_their_names(tmp_path: Path) -> None:
    """Fewer films are some of more films, whatever else the folder holds; and without a number all are taken."""
    films = read_folder(write_folder(tmp_path))

    assert set(pick_films(films, 4)) < set(pick_films(films, 9))
    assert pick_films(films[::-1], 4) == pick_films(films, 4)
    assert pick_films(films, None) == pick_films(films, 99) == films


def test_graph_that_cannot_run_is_refused(tiny: Checkpoint, tmp_path: Path) -> None:
    """A graph with a node that ONNX Runtime does not know ends in a sentence with the remedy."""
    graph = onnx.load(tiny.model_path)
    next(node for node in graph.graph.node if "logits" in node.output).op_type = "Unheard"
    onnx.save(graph, tmp_path / MODEL_NAME)

    with pytest.raises(BackendError, match="export it again"):
        CutGraph(replace(tiny, folder=tmp_path).model_path)


def test_films_without_a_class_are_refused(tmp_path: Path) -> None:
    """There is no AUC where one diagnosis never occurs, and the sentence says so before anything is run."""
    films = [film for film in read_folder(write_folder(tmp_path)) if film.label]

    with pytest.raises(FolderError, match="class normal"):
        Cases.around(films, 7)
