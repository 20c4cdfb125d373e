"""A checkpoint in milliseconds: a graph with exactly the tensors of the contract, and nothing learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.parser
from onnx import numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from inference.checkpoint import Checkpoint, seal
from inference.contract import CLASSES, IMAGE_SIZE, PATCHES, SLOTS, SUBSETS
from inference.entities import TAGS
from inference.gate import ADULT, TURNED, GateArrays, ImageGate
from inference.manifest import MASKS

WIDTH = 6
NOTE_WIDTH = 4
PARTS = ("image", "text", "structured")
SENTENCES = """child with fever and cough for three days no wheeze on the left lung crackles heard breathing fast
consolidation of right upper lobe was seen is a in at to mild severe infant eats well"""
WORDS = SENTENCES.split()

# Relevance and effects are simple but depend on every input, so that a mixed-up patient or tensor shows.
GRAPH = f"""
<ir_version: 9, opset_import: ["" : 18]>
tiny (float[B,1,{IMAGE_SIZE},{IMAGE_SIZE}] image, float[B,1] image_present, int64[B,N] tokens,
      float[B,1] text_present, float[B,{SLOTS}] values, float[B,{SLOTS}] value_present, float[B,{SLOTS}] value_age)
  => (float[B,{CLASSES}] logits, float[B,{len(SUBSETS)},{CLASSES}] subset_logits, float[B,{PATCHES}] image_relevance,
      float[B,N] text_relevance, float[B,N] text_effect, float[B,{SLOTS}] value_effect,
      float[B,{WIDTH}] image_feature, float[B,N,{TAGS}] entity_logits,
      float[B,{PATCHES},1] image_memory, float[B,N,{NOTE_WIDTH}] note_memory)
{{
  pooled = AveragePool <kernel_shape = [16, 16], strides = [16, 16]> (image)
  patches = Flatten (pooled)
  image_relevance = Mul (patches, image_present)
  last = Constant <value_ints = [2]> ()
  middle = Constant <value_ints = [1]> ()
  image_memory = Unsqueeze (image_relevance, last)
  seen = Squeeze (image_memory, last)
  image_feature = MatMul (seen, weight_feature)
  logits_image = MatMul (image_feature, weight_image)
  numbers = Cast <to = 1> (tokens)
  text_relevance = Mul (numbers, text_present)
  turned = Mul (text_relevance, turn)
  text_effect = Sin (turned)
  word_column = Unsqueeze (text_relevance, last)
  entity_logits = MatMul (word_column, weight_tag)
  waves = MatMul (word_column, weight_word)
  note_memory = Sin (waves)
  read = ReduceSum <keepdims = 0> (note_memory, middle)
  logits_text = MatMul (read, weight_text)
  known = Mul (values, value_present)
  aged = Add (known, value_age)
  value_effect = Mul (aged, weight_slot)
  logits_structured = MatMul (aged, weight_structured)
  two = Add (logits_image, logits_text)
  logits = Add (two, logits_structured)
  image_row = Unsqueeze (logits_image, middle)
  text_row = Unsqueeze (logits_text, middle)
  structured_row = Unsqueeze (logits_structured, middle)
  rows = Concat <axis = 1> (image_row, text_row, structured_row)
  subset_logits = MatMul (subsets, rows)
}}
"""


def write_graph(path: Path, seed: int = 0) -> None:
    """Write the graph with random weights."""
    random = np.random.default_rng(seed)
    weights = {
        "weight_feature": random.normal(size=(PATCHES, WIDTH)) / PATCHES,
        "weight_image": random.normal(size=(WIDTH, CLASSES)),
        "weight_word": random.normal(size=(1, NOTE_WIDTH)),
        "weight_text": random.normal(size=(NOTE_WIDTH, CLASSES)),
        "weight_structured": random.normal(size=(SLOTS, CLASSES)) / SLOTS,
        "turn": random.normal(size=()),
        "weight_slot": random.normal(size=(SLOTS,)),
        "weight_tag": random.normal(size=(1, TAGS)),
        "subsets": np.array(SUBSETS),
    }
    model = onnx.parser.parse_model(GRAPH)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(weight, np.float32), name) for name, weight in weights.items()
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def write_tokenizer(path: Path) -> None:
    """Write a word-piece tokenizer that knows `WORDS` and single letters."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), *WORDS]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(path))


def tiny_settings() -> dict[str, Any]:
    """Return the settings of a checkpoint for children of 1 to 5 years, with an image gate."""
    return {
        "name": "tiny",
        "version": "0.0.1",
        "card": {
            "scope": "Made-up patients of 1 to 5 years.",
            "intended_use": "Tests.",
            "not_for": ["patients"],
            "simulated": "All of it.",
        },
        "scope": {
            "min_age_months": 12,
            "max_age_months": 72,
            "modalities": ["CR", "DX", "RG"],
            "body_parts": ["CHEST", "THORAX", ""],
            "views": ["AP", "PA", ""],
            "film_max_age_h": 72,
            "note_max_age_h": 72,
            "max_unfamiliar_words": 0.5,
            "image_gate_threshold": 3.0,
        },
        "calibration": {"temperatures": [2.0, 2.0, 2.0], "coverage": 0.9, "quantiles": dict.fromkeys(MASKS, 0.6)},
    }


def make_gate(mean: npt.NDArray[np.float64], threshold: float = 3.0) -> ImageGate:
    """Make a gate whose score is the distance from `mean`, to a hundredth or so.

    Its classifier calls a feature an adult's where the first number is 3 or more above the mean's, turned where the
    second is.
    """
    width = mean.size
    weight = np.zeros((width, 3))
    weight[0, 1] = weight[1, 2] = 10.0
    return ImageGate(
        GateArrays(
            centre=mean,
            scale=np.ones(width),
            kinds=np.array([ADULT, TURNED]),
            weight=weight,
            bias=np.array([0.0, -20.0, -20.0]),
            mean=np.zeros(width),
            precision=np.eye(width),
            middle=np.zeros(2),
            spread=np.array([1000.0, 1.0]),
        ),
        threshold,
    )


def make_checkpoint(folder: Path, settings: dict[str, Any] | None = None, seed: int = 0) -> Checkpoint:
    """Write and seal a tiny checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    write_graph(folder / "model.onnx", seed)
    write_tokenizer(folder / "tokenizer.json")
    make_gate(np.zeros(WIDTH)).arrays.save(folder / "scope.npz")
    return seal(folder, settings or tiny_settings())
