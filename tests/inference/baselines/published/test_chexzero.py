from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from inference.baselines.published.chexzero import CheXzero, open_clip, pair_probability, preprocess, to_stored_square
from inference.baselines.published.clip import Clip
from inference.baselines.published.clip_tokens import open_clip_tokenizer
from inference.manifest import CheckpointError
from tests.inference.baselines.published.films import film
from tests.inference.baselines.published.small import CLIP, CLIP_320, CLIP_WORDS, clip_folder, filled, save

TOKENS = torch.tensor([[7, 6, 2, 4, 8, 8, 8], [7, 5, 8, 0, 0, 0, 0]])
TEXTS = [["no"], ["bo", "no bo"], ["b"]]


@pytest.fixture
def model(tmp_path: Path) -> Clip:
    return open_clip(save(tmp_path, "best_64", CLIP))


@pytest.fixture
def system(tmp_path: Path) -> CheXzero:
    paths = [save(tmp_path, "a", CLIP), save(tmp_path, "b", CLIP_320)]
    return CheXzero.open(paths, clip_folder(tmp_path / "words"))


def padded(tokens: Tensor) -> Tensor:
    """Fill tokens up to the context with the end token."""
    return torch.nn.functional.pad(tokens, (0, 77 - tokens.shape[1]), value=8)


def to_hugging_face(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give CLIP's tensors the names and the orientation that transformers has for them."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        tower, rest = ("vision_model", name[7:]) if name.startswith("visual.") else ("text_model", name)
        rest = rest.replace("transformer.resblocks", "encoder.layers").replace("attn.out_proj", "self_attn.out_proj")
        rest = rest.replace("ln_1", "layer_norm1").replace("ln_2", "layer_norm2")
        rest = rest.replace("c_fc", "fc1").replace("c_proj", "fc2")
        if "attn.in_proj_" in rest:
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                renamed[f"{tower}.{rest.replace('attn.in_proj_', f'self_attn.{part}_proj.')}"] = piece
        else:
            renamed[f"{tower}.{rest}"] = tensor
    moves = {
        "vision_model.class_embedding": "vision_model.embeddings.class_embedding",
        "vision_model.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "vision_model.positional_embedding": "vision_model.embeddings.position_embedding.weight",
        "vision_model.ln_pre.weight": "vision_model.pre_layrnorm.weight",
        "vision_model.ln_pre.bias": "vision_model.pre_layrnorm.bias",
        "vision_model.ln_post.weight": "vision_model.post_layernorm.weight",
        "vision_model.ln_post.bias": "vision_model.post_layernorm.bias",
        "text_model.positional_embedding": "text_model.embeddings.position_embedding.weight",
        "text_model.token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "text_model.ln_final.weight": "text_model.final_layer_norm.weight",
        "text_model.ln_final.bias": "text_model.final_layer_norm.bias",
        "text_model.logit_scale": "logit_scale",
    }
    projections = {
        "vision_model.proj": "visual_projection.weight",
        "text_model.text_projection": "text_projection.weight",
    }
    moved = {moves.get(name, name): tensor for name, tensor in renamed.items() if name not in projections}
    return moved | {new: renamed[old].T for old, new in projections.items()}


def hugging_face_clip() -> CLIPModel:
    """The same sizes as `CLIP`, built by transformers and filled with the same numbers."""
    text = {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 1}
    vision = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"vocab_size": len(CLIP_WORDS), "bos_token_id": 7, "eos_token_id": 8, "hidden_act": "quick_gelu"}
    config = CLIPConfig(
        text_config=text | tokens,
        vision_config=vision | {"patch_size": 32, "hidden_act": "quick_gelu"},
        projection_dim=16,
    )
    model: CLIPModel = CLIPModel(config)
    model.load_state_dict(to_hugging_face(filled(CLIP)))
    model.train(mode=False)
    return model


@torch.inference_mode()
def test_encoders_agree_with_the_clip_of_transformers(model: Clip) -> None:
    """Our CLIP and an independent one give the same vectors from the same weights."""
    images, tokens = torch.stack([preprocess(film(phase=phase), 224) for phase in (0, 1)]), padded(TOKENS)
    other = hugging_face_clip()(input_ids=tokens, pixel_values=images)

    assert torch.allclose(other.image_embeds, model.encode_image(images), atol=1e-5)
    assert torch.allclose(other.text_embeds, model.encode_text(tokens), atol=1e-5)
    # Two films or two texts that gave one vector would agree as well.
    assert not torch.allclose(other.image_embeds[0], other.image_embeds[1], atol=0.05)
    assert not torch.allclose(other.text_embeds[0], other.text_embeds[1], atol=0.05)


@torch.inference_mode()
def test_padding_after_the_end_is_never_seen(model: Clip) -> None:
    """Attention looks back only, so what fills a text up changes nothing."""
    zeros = torch.nn.functional.pad(TOKENS, (0, 70))

    assert torch.allclose(model.encode_text(zeros), model.encode_text(padded(TOKENS)), atol=1e-6)


def test_sizes_come_from_the_shapes(system: CheXzero) -> None:
    """Both published builds are told apart by their tensors alone."""
    first, second = (model.sizes for model in system.models)

    assert (first.resolution, first.patch, first.embed, first.vision_layers, first.text_layers) == (224, 32, 16, 2, 2)
    assert (second.resolution, second.patch, second.embed, second.context) == (320, 16, 24, 77)


def test_numbers_of_the_archive_are_tolerated(tmp_path: Path) -> None:
    """Three numbers that OpenAI's archives keep among the weights do no harm."""
    extra = {name: torch.tensor(1) for name in ("input_resolution", "context_length", "vocab_size")}
    save_file(filled(CLIP) | extra, tmp_path / "clip.safetensors")

    assert open_clip(tmp_path / "clip.safetensors").sizes.patch == 32


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("visual.conv1.weight", None, r"missing visual\.conv1\.weight"),
        ("visual.transformer.resblocks.1.ln_1.bias", None, r"missing visual\.transformer\.resblocks\.1\.ln_1\.bias"),
        ("visual.positional_embedding", torch.zeros(48, 128), "visual.positional_embedding .* instead of"),
        ("classifier.weight", torch.zeros(2), r"unknown classifier\.weight"),
        ("token_embedding.weight", torch.zeros(9, 60), "its width 60 is no multiple of 64"),
    ],
)
def test_file_of_another_model_is_refused(tmp_path: Path, name: str, value: Tensor | None, sentence: str) -> None:
    """A file that is almost CheXzero's is refused, and the tensor is named."""
    state = {key: tensor for key, tensor in filled(CLIP).items() if key != name}
    save_file(state if value is None else state | {name: value}, tmp_path / "other.safetensors")

    with pytest.raises(CheckpointError, match=rf"other\.safetensors is no checkpoint of CheXzero: .*{sentence}"):
        open_clip(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [((320, 640), (80, 240), (0, 320)), ((100, 50), (0, 320), (80, 240)), ((7, 320), (156, 163), (0, 320))],
)
def test_film_is_centred_in_a_black_square(shape: tuple[int, int], rows: Sequence[int], columns: Sequence[int]) -> None:
    """The longest side becomes 320, and what is left over is black, half of it on either side."""
    square = to_stored_square(np.full(shape, 200, np.uint8))
    expected = np.zeros((320, 320), np.uint8)
    expected[slice(*rows), slice(*columns)] = 200

    assert np.array_equal(expected, square)


def test_values_are_normalised_on_the_scale_of_bytes() -> None:
    """(grey - 101.48761) / 83.43944 in each of three channels: 0 gives -1.216303, 255 gives 1.839807."""
    grey = np.zeros((320, 320), np.uint8)
    grey[:, 160:] = 255

    image = preprocess(grey, 320)

    assert image.shape == (3, 320, 320)
    assert image[:, 0, 0].tolist() == pytest.approx([-1.216303] * 3, abs=1e-5)
    assert image[:, 0, 319].tolist() == pytest.approx([1.839807] * 3, abs=1e-5)


def test_resize_comes_after_normalising() -> None:
    """Bicubic overshoot beside an edge survives: resized as bytes first, it would be cut off at 0 and 255."""
    grey = np.zeros((320, 320), np.uint8)
    grey[:, 160:] = 255

    image = preprocess(grey, 224)

    assert image.shape == (3, 224, 224)
    assert image.min() < -1.22
    assert image.max() > 1.85


def test_resize_weighs_four_neighbours_without_smoothing() -> None:
    """Pixel 0 of 224 lies at 0.2142857 of 320: cubic weights (a = -0.75) of the four pixels about it."""
    grey = np.zeros((320, 320), np.uint8)
    grey[:, 1] = 255
    distance = 1 - (0.5 * 320 / 224 - 0.5)
    weight = (1.25 * distance - 2.25) * distance**2 + 1

    value = preprocess(grey, 224)[0, 0, 0].item()

    assert value == pytest.approx((255 * weight - 101.48761) / 83.43944, abs=1e-4)


def test_pair_probability_ignores_the_logit_scale() -> None:
    """exp(0.3) / (exp(0.3) + exp(0.1)) = 0.549834, and two cosines can never be further from 0.5 than 0.880797."""
    found = pair_probability(torch.tensor([0.3, 1.0]), torch.tensor([0.1, -1.0]))

    assert found.tolist() == pytest.approx([0.549834, 0.880797], abs=1e-6)


def test_probability_is_the_mean_of_the_ensemble(system: CheXzero) -> None:
    """Each checkpoint compares "{}" with "no {}", and their probabilities are averaged."""
    alone = [CheXzero([model], system.tokenizer).probability([film()], ["bo", "b"]) for model in system.models]
    cosines = system.cosines(system.models[0], [film()], [["b"], ["no b"]])[0]

    assert np.allclose(system.probability([film()], ["bo", "b"]), np.mean(alone, 0), atol=1e-6)
    assert alone[0][0, 1] == pytest.approx(pair_probability(cosines[0], cosines[1]).item(), abs=1e-6)


def test_classes_are_judged_with_the_trained_scale(system: CheXzero) -> None:
    """Without a temperature, cosines are multiplied by exp(logit_scale); with one, they are divided by it."""
    single = CheXzero(system.models[:1], system.tokenizer)
    cosines = system.cosines(system.models[0], [film()], TEXTS)

    assert np.allclose(single.judge([film()], TEXTS), (cosines * np.exp(1.5)).softmax(-1), atol=1e-5)
    single.temperature = 0.5
    assert np.allclose(single.judge([film()], TEXTS), (cosines / 0.5).softmax(-1), atol=1e-5)


def test_texts_of_one_class_are_merged_as_vectors(system: CheXzero) -> None:
    """The vectors of several templates are averaged and made length 1 again before they meet the film."""
    model = system.models[0]
    one, two = (system.cosines(model, [film()], [[text]])[0, 0] for text in ("bo", "no bo"))
    texts = system.tokenizer(["bo", "no bo"], padding="max_length", max_length=77, return_tensors="pt").input_ids
    length = model.encode_text(texts).mean(0).norm()

    assert torch.allclose(system.cosines(model, [film()], [["bo", "no bo"]])[0, 0], (one + two) / 2 / length, atol=1e-6)


GOLDEN_JUDGED = [[0.369461, 0.330494, 0.300046], [0.417330, 0.314249, 0.268421]]
GOLDEN_PROBABILITY = [[0.503319], [0.505111]]


def test_golden_vectors(system: CheXzero) -> None:
    """Fixed weights, film and texts give fixed figures on every machine."""
    films = [film(), film(50, 60, phase=1)]

    assert np.allclose(system.judge(films, TEXTS), GOLDEN_JUDGED, atol=1e-4)
    assert np.allclose(system.probability(films, ["b"]), GOLDEN_PROBABILITY, atol=1e-4)


def test_vocabulary_of_another_model_is_refused(tmp_path: Path, model: Clip) -> None:
    """A vocabulary that does not end where the model's does is refused before the first film."""
    tokenizer = open_clip_tokenizer(clip_folder(tmp_path))
    model.sizes = replace(model.sizes, vocabulary=10)

    with pytest.raises(CheckpointError, match="does not end at 10 tokens"):
        CheXzero([model], tokenizer)


def test_an_ensemble_needs_a_member(system: CheXzero) -> None:
    """No checkpoint is no system."""
    with pytest.raises(ValueError, match="at least one"):
        CheXzero([], system.tokenizer)
