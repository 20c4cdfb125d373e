from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inference.attributes import ATTRIBUTES_NAME, AttributesFile
from inference.checkpoint import Checkpoint
from inference.training.card.figures import CardError, read_printed
from inference.training.card.render import (
    FILES,
    interval,
    number,
    read_attributes,
    render_attributes,
    render_card,
)

ROOT = Path(__file__).parents[4]
SHIPPED_FIGURES = ROOT / "docs" / "figures"


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """A copy of the figures of the shipped checkpoint."""
    return Path(shutil.copytree(SHIPPED_FIGURES, tmp_path / "figures"))


def change(path: Path, name: str, value: float | None) -> None:
    """Change one figure of a file, or take it out."""
    content = json.loads(path.read_text())
    kept = [figure for figure in content["figures"] if figure["name"] != name or value is not None]
    for figure in kept:
        figure["value"] = value if figure["name"] == name else figure["value"]
    path.write_text(json.dumps(content | {"figures": kept}))


def test_card_in_the_repository_is_what_the_figures_say() -> None:
    """Nobody has typed into the card, and nobody has forgotten to write it anew."""
    assert (ROOT / "docs" / "model-card.md").read_text() == render_card(Checkpoint.load(), SHIPPED_FIGURES)


def test_card_follows_its_figures(figures: Path) -> None:
    """Another measured value stands in the card at once, in the table and in the attribute that cites it."""
    change(figures / "evaluate.json", "auc", 0.123)

    assert render_card(Checkpoint.load(), figures).count("0.123") >= 2


def test_missing_figure_is_named(figures: Path) -> None:
    """A card is not written with a hole: the figure and what to run are named."""
    change(figures / "compare.json", "chexzero.auc", None)

    with pytest.raises(CardError, match=r"chexzero\.auc"):
        render_card(Checkpoint.load(), figures)


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(figures: Path, name: str) -> None:
    """Without the output of one command there is no card."""
    (figures / f"{name}.json").unlink()

    with pytest.raises(CardError, match=name):
        render_card(Checkpoint.load(), figures)


def test_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """A file that no command printed is named as such."""
    (tmp_path / "odd.json").write_text("[]")

    with pytest.raises(CardError, match="write it again"):
        read_printed(tmp_path / "odd.json")


def test_every_source_attribute_is_there_in_order() -> None:
    """All 31, each with a heading and a text."""
    attributes = read_attributes()

    assert [attribute["number"] for attribute in attributes] == list(range(1, 32))
    assert all(attribute["heading"] and attribute["text"] for attribute in attributes)


@pytest.mark.parametrize(("value", "written"), [(0.9268, "0.927"), (5216.0, "5216"), (-0.0123, "-0.012")])
def test_numbers_have_three_places(value: float, written: str) -> None:
    """Shares have three places, counts none."""
    assert number(value) == written


def test_interval_of_a_figure_without_one_is_empty(figures: Path) -> None:
    """No interval is made up."""
    printed = read_printed(figures / "evaluate.json")
    bare = next(figure for figure in printed.figures.values() if figure.low is None)

    assert interval(bare) == ""


def test_attributes_in_the_checkpoint_are_what_the_figures_say() -> None:
    """The source attributes that pages show are those of the shipped checkpoint, written from its figures."""
    shipped = Checkpoint.load()
    assert (shipped.folder / ATTRIBUTES_NAME).read_text() == render_attributes(shipped, SHIPPED_FIGURES)


def test_attributes_follow_their_figures(figures: Path) -> None:
    """Another measured value stands in the attribute that cites it, and nothing of the template is left."""
    change(figures / "evaluate.json", "recall.viral", 0.123)
    file = AttributesFile.model_validate_json(render_attributes(Checkpoint.load(), figures))

    assert "0.123" in file.attributes[9].text
    assert not any("{{" in one.text or "`" in one.text for one in file.attributes)


def test_every_attribute_has_its_category(figures: Path) -> None:
    """A category that is written once holds until the next one; the file names the checkpoint by its seal."""
    shipped = Checkpoint.load()
    file = AttributesFile.model_validate_json(render_attributes(shipped, figures))

    assert file.seal == shipped.card.seal
    assert [file.attributes[place].category for place in (0, 3, 4, 30)] == [
        "Details and output", "Details and output", "Purpose", "Update",
    ]  # fmt: skip


def test_attribute_without_its_figure_is_refused(figures: Path) -> None:
    """Attributes are not written with a hole."""
    change(figures / "evaluate.json", "ece", None)

    with pytest.raises(CardError, match="ece"):
        render_attributes(Checkpoint.load(), figures)
