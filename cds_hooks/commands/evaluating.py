"""What `mllm-cds evaluate` does for the model itself: choose films, run the graph, measure."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from inference.checkpoint import Checkpoint
from inference.figures import Figure


def evaluate_diagnosis(
    images: Path, folder: Path | None, strangers: tuple[Path | None, Path | None], *, everything: bool
) -> list[Figure]:
    """Measure a checkpoint on a folder of films.

    Args:
        images: laid out as the paediatric set is.
        folder: of the checkpoint; the shipped one by default.
        strangers: folders of adults' films, for the scope gate; where not given, those beside `images`, if there.
        everything: judge all films that were not trained on.
    """
    from inference.backends.cut import CutGraph
    from inference.training.assess import DRAWS, assess
    from inference.training.data.films import read_folder
    from inference.training.trained_on import choose_films, describe_choice, read_trained_on

    console, checkpoint = Console(stderr=True), Checkpoint.load(folder)
    films, known = read_folder(images), read_trained_on(checkpoint.folder)
    chosen = choose_films(films, known, everything=everything)
    console.print(describe_choice(films, chosen, known), highlight=False)
    beside = [path or found(images.parent / name) for path, name in zip(strangers, STRANGERS, strict=True)]
    with Progress(console=console) as progress:
        task = progress.add_task(f"{len(chosen)} films", total=2 * DRAWS * len(chosen))
        return assess(
            checkpoint,
            CutGraph(checkpoint.model_path, threads=2),
            chosen,
            (beside[0], beside[1]),
            lambda count: progress.advance(task, count),
        )


def evaluate_entities(folder: Path | None) -> list[Figure]:
    """Measure the entity head of a checkpoint on notes of the grammar that training never saw."""
    from inference.training.entity_figures import assess_entities, head_tagger
    from inference.training.pack import WEIGHTS_NAME, load_weights

    checkpoint = Checkpoint.load(folder)
    model = load_weights(checkpoint.folder / WEIGHTS_NAME)
    return assess_entities(head_tagger(model.text, model.entities), checkpoint.tokenizer)


STRANGERS = ("chest-xray-adult", "chest-xray-severity")
"""Names of the folders of adults' films, as they lie beside the paediatric one."""


def found(path: Path) -> Path | None:
    """Return a folder if it is there."""
    return path if path.is_dir() else None
