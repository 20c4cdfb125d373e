"""compare.toml -> what every compared system gets: the same cases, passes and optimiser."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from inference.training.recipe import RecipeError, Stage

BUDGET: Final = Path(__file__).parents[1] / "recipes" / "compare.toml"
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Budget:
    """The numbers of one comparison.

    Attributes:
        views: augmented views of each training film.
        augmentation: strength of the changes made to them.
        draws: simulated cases around each film.
        complete: share of these in which everything was measured and a note written.
        drop_piece: share of the word pieces that are hidden in training.
        map_noise: deviation of the noise on maps and image tokens, as a share of their own.
        drop_modality: how often the M-LLM trained without one modality misses another as well.
        drop_value: how often it misses a single measurement.
        passes: the training itself.
        probe: the linear probe of the systems that learn an embedding first.
    """

    views: Annotated[int, Field(ge=1)]
    augmentation: Annotated[float, Field(ge=0)]
    draws: Annotated[int, Field(ge=1)]
    complete: Share
    drop_piece: Share
    map_noise: Annotated[float, Field(ge=0)]
    drop_modality: Share
    drop_value: Share
    passes: Stage
    probe: Stage


def read_budget(path: Path = BUDGET) -> Budget:
    """Read a budget.

    Raises:
        RecipeError: the file is missing, not TOML, or has missing or wrong fields.
    """
    try:
        return TypeAdapter(Budget).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path} cannot be read as TOML: give a budget such as {BUDGET}") from error
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise RecipeError(f"{path} has missing or wrong fields: {fields}") from error
