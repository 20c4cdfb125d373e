"""`mllm-cds train --task medqa` and `evaluate --task medqa`: from files to files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference.checkpoint import SHIPPED, TOKENIZER_NAME
from inference.figures import Figure
from inference.manifest import CheckpointError
from inference.model.config import ModelConfig
from inference.model.text import TextEncoder
from inference.training.data.medqa import read_questions
from inference.training.medqa_task import Chooser, encode_questions, fit_chooser, is_held_out, judge_chooser
from inference.training.pack import WEIGHTS_NAME, load_weights
from inference.training.run import Run
from inference.words import open_tokenizer

HEAD_NAME: Final = "medqa.safetensors"


def train_medqa(run: Run, questions: Path, out: Path, start: Path = SHIPPED) -> None:
    """Train text encoder and head on the questions that are not held out, and write them to `out`.

    Args:
        run: seed, working folder, progress and place.
        questions: MedQA file.
        out: folder; gets the head and the tokenizer.
        start: checkpoint whose text encoder is trained on.
    """
    model = load_weights(start / WEIGHTS_NAME)
    tokenizer = open_tokenizer(start / TOKENIZER_NAME)
    asked = [question for question in read_questions(questions) if not is_held_out(question)]
    run.folder.mkdir(parents=True, exist_ok=True)
    chooser = Chooser(model.text, model.config)
    fitted = fit_chooser(chooser, encode_questions(asked, tokenizer), run.recipe.seed, run.stage("medqa")).cpu()
    out.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.contiguous() for name, tensor in fitted.state_dict().items()}
    save_file(state, out / HEAD_NAME, metadata={"config": json.dumps(asdict(model.config))})
    tokenizer.save(str(out / TOKENIZER_NAME))


def evaluate_medqa(questions: Path, folder: Path | None) -> list[Figure]:
    """Judge a head by the questions held out; see `judge_chooser`.

    Raises:
        CheckpointError: the folder holds no head.
    """
    path = (folder or Path()) / HEAD_NAME
    if folder is None or not path.exists():
        raise CheckpointError(
            f"{path} is missing: run `mllm-cds train --task medqa --out DIR`, then give DIR as --checkpoint"
        )
    with safe_open(path, "pt") as file:
        config = ModelConfig(**json.loads(file.metadata()["config"]))
    chooser = Chooser(TextEncoder(config), config)
    chooser.load_state_dict(load_file(path))
    asked = [question for question in read_questions(questions) if is_held_out(question)]
    return judge_chooser(chooser, encode_questions(asked, open_tokenizer(folder / TOKENIZER_NAME)))
