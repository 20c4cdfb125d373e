from __future__ import annotations

import copy
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from inference.backends import Backend
from inference.baselines.compact.joint import JointModel
from inference.baselines.compact.medclip import MedCLIP
from inference.checkpoint import Checkpoint, CheckpointError
from inference.contract import GRID
from inference.model.config import ModelConfig
from inference.model.mllm import MultimodalModel
from inference.training.cases import tensors_of
from inference.training.compare.budget import Budget
from inference.training.compare.kept import Shelf, load_system, save_system
from inference.training.compare.material import gather
from inference.training.compare.run import CompareError, Comparison, Plan, compare, may_train, usable_seeds
from inference.training.compare.systems import JUDGED_MASKS, TRAINED, Ground, answer_all, build
from inference.training.compare.table import AS_REPORTED, draw_table
from inference.training.compare.train import Lesson, fit_pairs, train_system
from inference.training.data.films import Film
from inference.training.encode_cases import cases_of
from inference.training.metrics import macro_auc
from inference.training.progress import Silent

NAMED = {
    f"{system}.{metric}"
    for system in (*JUDGED_MASKS, *TRAINED)
    for metric in ("accuracy", "auc", "precision", "recall", "f1")
} | {f"mllm_minus_{system}.auc" for system in (*JUDGED_MASKS, *TRAINED) if system != "mllm"}


def test_names_are_those_of_the_design() -> None:
    """Acceptance scripts read these."""
    assert {*JUDGED_MASKS, *TRAINED} == {
        "mllm", "mllm_without_text", "mllm_without_image", "mllm_without_structured", "mllm_without_text_retrained",
        "mllm_without_image_retrained", "mllm_without_structured_retrained", "text_only", "image_only", "chexzero",
        "medclip", "biovil_t",
    }  # fmt: skip


def apart(films: list[Film]) -> list[Film]:
    """The films that nothing is learnt from."""
    return [film for film in films if film.split in ("calibration", "test")]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("kept"), None)


@pytest.fixture(scope="module")
def comparison(
    tiny: Checkpoint, backend: Backend, ground: Ground, budget: Budget, films: list[Film], shelf: Shelf
) -> Comparison:
    """From striped films to the whole table, with nothing trained before."""
    brief = replace(budget, passes=replace(budget.passes, epochs=1))
    return compare(Plan(apart(films), films, 1, shelf, brief), tiny, backend, ground, Silent())


def test_miniature_comparison_gives_every_figure(comparison: Comparison) -> None:
    """Every system of the design has every metric, with an interval around it, and its paired difference."""
    assert {figure.name for figure in comparison.figures} == NAMED
    assert all(figure.low is not None and figure.low <= (figure.high or 0) for figure in comparison.figures)
    assert (comparison.seeds, comparison.remark) == ((0,), "")


@pytest.mark.usefixtures("comparison")
def test_what_is_trained_is_not_trained_again(shelf: Shelf) -> None:
    """Every system is kept as soon as it is trained."""
    assert shelf.missing(1) == []
    assert {seed for seed, _ in shelf.missing(2)} == {1}


@pytest.mark.parametrize(
    ("name", "epochs"),
    [("chexzero", 3), ("medclip", 3), ("image_only", 40), ("mllm_without_text_retrained", 4)],
)
def test_who_sees_stripes_learns_them(
    name: str, epochs: int, ground: Ground, budget: Budget, films: list[Film]
) -> None:
    """A few passes over films whose class is plain to see beat chance, in every system that sees."""
    longer = replace(budget, passes=replace(budget.passes, epochs=epochs, rate=4e-3))
    material = gather(ground, longer, films)
    cases = tensors_of(cases_of(material.films, 5, grammar="test"), ground.tokenizer)

    found = answer_all(train_system(name, material, 0, Silent()), ground, material.maps[0], cases)

    assert macro_auc(material.labels.numpy(), found) > 0.75


def test_films_come_nearer_to_their_notes(ground: Ground, budget: Budget, films: list[Film]) -> None:
    """Training on pairs lowers the loss of pairs, and leaves the probe alone."""
    torch.manual_seed(0)
    material, fresh = gather(ground, budget, films), MedCLIP(ground.sizes)
    steps = 3 * (len(material.films) // 16)
    trained = fit_pairs(copy.deepcopy(fresh), material, 0, Lesson("", budget.passes, steps, Silent()))
    cases, maps = material.draw(0, 0), material.maps[0].float()

    def loss(system: JointModel) -> float:
        return system.eval().align(system.look(maps), system.read(cases.tokens), material.labels).item()

    assert loss(trained) < loss(fresh)
    assert torch.equal(trained.probe.weight, fresh.probe.weight)


@pytest.mark.parametrize("name", TRAINED)
def test_kept_system_answers_as_the_one_that_was_trained(
    name: str, ground: Ground, films: list[Film], tmp_path: Path
) -> None:
    """Half precision moves no answer by a percent, and nothing of the checkpoint is written a second time."""
    torch.manual_seed(1)
    system = build(name, ground).eval()
    cases = tensors_of(cases_of(films[:12], 0, grammar="train"), ground.tokenizer)
    maps = torch.randn(12, ground.sizes.channels, GRID, GRID)
    save_system(tmp_path / "kept.safetensors", name, system, ground)
    again = load_system(tmp_path / "kept.safetensors", name, ground)

    difference = answer_all(again, ground, maps, cases) - answer_all(system, ground, maps, cases)
    assert abs(difference).max() < 0.01
    assert not [key for key in load_file(tmp_path / "kept.safetensors") if "first" in key]


def test_system_of_another_checkpoint_is_refused(ground: Ground, tmp_path: Path) -> None:
    """It would read a stem it never saw; the sentence names the file and the way out."""
    path = tmp_path / "text_only.safetensors"
    save_system(path, "text_only", build("text_only", ground), ground)

    with pytest.raises(CheckpointError, match=r"text_only\.safetensors .*another checkpoint.*--retrain"):
        load_system(path, "text_only", replace(ground, digest="b" * 64))


def test_checkpoint_without_a_stem_is_refused(ground: Ground) -> None:
    """A plain ViT has no convolutional map for the others to read."""
    plain = MultimodalModel(ground.model.config, image=torch.nn.Identity())

    with pytest.raises(CheckpointError, match="preset compact"):
        build("chexzero", replace(ground, model=plain))


def test_system_under_another_name_is_refused(ground: Ground, tmp_path: Path) -> None:
    """A file that was renamed is not what its name says."""
    save_system(tmp_path / "x.safetensors", "chexzero", build("chexzero", ground), ground)

    with pytest.raises(CheckpointError, match="is not medclip"):
        load_system(tmp_path / "x.safetensors", "medclip", ground)


@pytest.mark.parametrize("content", [b"", b"no weights at all"])
def test_unreadable_system_is_refused(content: bytes, ground: Ground, tmp_path: Path) -> None:
    """Half a download is told from a trained system."""
    (tmp_path / "x.safetensors").write_bytes(content)

    with pytest.raises(CheckpointError, match="cannot be read"):
        load_system(tmp_path / "x.safetensors", "medclip", ground)


def fill(shelf: Shelf, seeds: int) -> None:
    """Put a file of every system of some seeds on a shelf."""
    for seed in range(seeds):
        for name in TRAINED:
            path = shelf.own(name, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file({"weight": torch.zeros(1)}, path)


def test_what_is_trained_here_goes_before_what_ships(tmp_path: Path) -> None:
    """A system of one's own is found first, and the shipped one only where it may be used."""
    own, shipped = Shelf(tmp_path / "own", None), Shelf(tmp_path / "shipped", None)
    fill(shipped, 1)
    both = Shelf(own.work, shipped.work)

    assert both.find("medclip", 0) == shipped.own("medclip", 0)
    assert len(own.missing(1)) == len(TRAINED)
    fill(own, 1)
    assert both.find("medclip", 0) == own.own("medclip", 0)


@pytest.mark.parametrize(("kept", "asked", "used"), [(1, 3, (0,)), (2, 2, (0, 1))])
def test_only_whole_seeds_are_used_where_nothing_is_trained(
    kept: int, asked: int, used: tuple[int, ...], budget: Budget, tmp_path: Path
) -> None:
    """A folder judged whole is not trained on: the seeds that exist are what there is."""
    shelf = Shelf(tmp_path, None)
    fill(shelf, kept)

    assert usable_seeds(Plan([], None, asked, shelf, budget)) == used


def test_judged_film_is_never_trained_on(
    tiny: Checkpoint, backend: Backend, ground: Ground, budget: Budget, films: list[Film], tmp_path: Path
) -> None:
    """A copy under any name is known by its bytes; the table would praise memory."""
    with pytest.raises(CompareError, match="judged is in the training split"):
        compare(Plan(films, films, 1, Shelf(tmp_path, None), budget), tiny, backend, ground, Silent())


def test_folder_judged_whole_is_not_trained_on(films: list[Film]) -> None:
    """Only where the test split alone is judged may the rest of the folder be learnt from, if there is a rest."""
    assert may_train(films, films) is None
    assert may_train(films, apart(films)) is films
    assert may_train(apart(films), apart(films)) is None


def test_nothing_trained_and_nothing_to_train_on_is_refused(budget: Budget, tmp_path: Path) -> None:
    """The sentence says which option would help."""
    with pytest.raises(CompareError, match="--train-images"):
        usable_seeds(Plan([], None, 1, Shelf(tmp_path, None), budget))


def test_training_split_smaller_than_a_batch_is_refused(
    tiny: Checkpoint, backend: Backend, ground: Ground, budget: Budget, films: list[Film], tmp_path: Path
) -> None:
    """Nothing could be learnt from it, and the table would be one of untrained systems."""
    few = [film for film in films if film.split != "train"] + [film for film in films if film.split == "train"][:5]

    with pytest.raises(CompareError, match="5 films, fewer than one batch"):
        compare(Plan(apart(films), few, 1, Shelf(tmp_path, None), budget), tiny, backend, ground, Silent())


def test_systems_of_a_seed_stay_small(tiny: Checkpoint) -> None:
    """All weights of one seed, at the checkpoint's own size and in half precision, are under 18 MB."""
    model = MultimodalModel(ModelConfig()).requires_grad_(requires_grad=False)
    systems = [build(name, Ground(model, tiny.tokenizer, "a")) for name in TRAINED]
    count = sum(weight.numel() for system in systems for weight in system.parameters() if weight.requires_grad)

    assert 2 * count < 18e6


def test_table_shows_the_paper_beside_ours(comparison: Comparison) -> None:
    """Every system is a row; what others reported stands in a column of its own, named so."""
    console = Console(file=StringIO(), width=200)
    with console.capture() as drawn:
        console.print(draw_table(comparison.figures, "120 films"))

    assert all(f"{accuracy:.1f} / {auc:.1f}" in drawn.get() for accuracy, auc in AS_REPORTED.values())
    assert "as reported" in drawn.get()
    assert "120 films" in drawn.get()
