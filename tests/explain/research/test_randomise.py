from __future__ import annotations

import numpy as np
import pytest
import torch

from explain.research import sanity
from explain.research.composite import GATE, survives
from explain.research.methods import SHIPPED, Look
from explain.research.randomise import LAST, SEEDS, STAGES, cascade, emptied, forget, untrained
from explain.research.sanity import Probe, examine, with_model
from explain.research.variants import Doubles, Subject
from inference.contract import GRID, PATCH, PATCHES
from inference.model.mllm import MultimodalModel


def test_each_stage_forgets_more(model: MultimodalModel) -> None:
    """From the answer down to the pixels more and more weights are those of an untrained model; at the end all are."""
    known, fresh = model.state_dict(), untrained(model).state_dict()
    gone = [sum(not torch.equal(one[name], known[name]) for name in known) for one in states(model)]

    assert gone == sorted(gone)
    assert len(set(gone)) == len(STAGES)
    entities = [name for name in known if name.startswith("entities.")]
    last = states(model)[-1]
    assert all(torch.equal(last[name], fresh[name]) for name in known if name not in entities)


def states(model: MultimodalModel) -> list[dict[str, torch.Tensor]]:
    """The weights after each stage."""
    return [one.state_dict() for one in (*dict(cascade(model)).values(), next(emptied(model)))]


def test_several_untrained_models_end_the_cascade(model: MultimodalModel) -> None:
    """One may be like the trained one by luck: the last stage is tried with others too."""
    heads = [one.state_dict()["fusion.head.weight"] for one in emptied(model)]

    assert len(heads) == len(SEEDS)
    assert not torch.equal(heads[0], heads[1])


def test_forgetting_leaves_the_model_as_it_was(model: MultimodalModel) -> None:
    """A copy forgets, and only what was named."""
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    changed = forget(model, ("fusion.head.",)).state_dict()

    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert {name for name in before if not torch.equal(before[name], changed[name])} == {"fusion.head.weight"} | {
        "fusion.head.bias"
    }


def edges(look: Look) -> Doubles:
    """A picture of the film's own edges, whatever the model learned."""
    films = look.cases.batch.image[:, 0].numpy().astype(np.float64)
    steep = np.abs(np.diff(films, axis=1, append=0))
    maps: Doubles = steep.reshape(len(films), GRID, PATCH, GRID, PATCH).mean((2, 4)).reshape(len(films), -1)
    return maps


def test_edge_detector_fails_the_gate(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that stays the same when all weights are forgotten is void; one that follows the weights is not."""
    monkeypatch.setattr(sanity, "METHODS", {"image": {"edges": edges}})
    forgotten = with_model(subject, next(emptied(subject.model)))
    alike = Probe.of(subject, dear=False).like(forgotten, dear=False)["image", "edges"]

    assert alike == pytest.approx([1, 1, 1])
    assert survives({"image": float(alike.mean())}, {"image": 0.1}) == ["image"]


@pytest.mark.parametrize(("found", "chance", "void"), [(0.3, 0.1, False), (0.45, 0.1, True), (0.6, 0.35, False)])
def test_gate_allows_for_chance(found: float, chance: float, *, void: bool) -> None:
    """Two orders of few values are alike by chance: only what is above it counts."""
    assert bool(survives({"structured": found}, {"structured": chance})) is void
    assert GATE == 0.3


def test_examination_looks_at_every_method(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """All stages for the cheap methods, the last for the dear ones; noise and the other diagnosis for all."""
    monkeypatch.setattr(sanity, "CASES_OF_DEAR", 1)
    monkeypatch.setattr(sanity, "FORGOTTEN_OF_DEAR", 1)
    looks: list[int] = []
    found = examine(subject, lambda: looks.append(1))

    assert len(looks) == sanity.count_looks()
    assert ("text", "attention_x_gradient") in found.stages["head"]
    assert ("text", SHIPPED["text"]) in found.stages[LAST]
    assert ("image", "covering") not in found.stages["head"]
    assert ("image", "covering") in found.stages[LAST]
    names = {figure.name for figure in found.figures()}
    assert {"method.image.relevance.randomised.head", "method.text.leave_one_out.stability"} <= names
    assert not any(".random." in name for name in names)


def test_another_diagnosis_is_explained_for_the_same_cases(subject: Subject) -> None:
    """The next diagnosis in the order of the contract, so always another one."""
    assert ((sanity.next_likeliest(subject).answers - subject.answers) % 3).tolist() == [1, 1, 1]


def test_chance_for_a_film_is_the_map_moved() -> None:
    """A map moved over the film keeps its values and how smooth it is, and is never where it was."""
    relevance = np.arange(float(PATCHES))
    found = [sanity.moved(relevance, seed) for seed in range(20)]

    assert all(sorted(one) == relevance.tolist() for one in found)
    assert not any((one == relevance).any() for one in found)
