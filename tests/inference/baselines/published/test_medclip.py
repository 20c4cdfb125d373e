from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, SwinConfig, SwinModel

from inference.baselines.published.bert import open_bert_tokenizer
from inference.baselines.published.medclip import MedClipSystem, SwinVision, open_model, preprocess
from inference.manifest import CheckpointError
from tests.inference.baselines.published.films import film
from tests.inference.baselines.published.layouts import Shapes
from tests.inference.baselines.published.small import (
    MEDCLIP_RESNET,
    MEDCLIP_SWIN,
    SWIN,
    WORDS,
    filled,
    save,
    word_folder,
)

TEXTS = [["no pneumonia", "clear lungs"], ["bacterial pneumonia."], ["viral pneumonia", "interstitial opacities"]]


@pytest.fixture(params=["swin", "resnet"])
def layout(request: pytest.FixtureRequest) -> Shapes:
    return {"swin": MEDCLIP_SWIN, "resnet": MEDCLIP_RESNET}[request.param]


def open_system(folder: Path, layout: Shapes) -> MedClipSystem:
    return MedClipSystem.open(save(folder, "pytorch_model", layout), word_folder(folder / "words"))


@pytest.fixture
def system(tmp_path: Path) -> MedClipSystem:
    return open_system(tmp_path, MEDCLIP_SWIN)


@torch.inference_mode()
def test_image_encoder_agrees_with_a_swin_that_transformers_saved(tmp_path: Path) -> None:
    """What transformers writes in the published layout, our loader reads back to the same vectors."""
    torch.manual_seed(0)
    other = SwinModel(SwinConfig(embed_dim=8, depths=[2, 2], num_heads=[1, 2]))
    other.train(mode=False)
    other.save_pretrained(tmp_path / "swin")
    saved = load_file(tmp_path / "swin" / "model.safetensors")
    state = filled(MEDCLIP_SWIN) | {f"vision_model.model.{name}": tensor for name, tensor in saved.items()}
    save_file(state, tmp_path / "model.safetensors")
    pixels = torch.stack([preprocess(film(phase=phase)) for phase in (0, 1)]).repeat(1, 3, 1, 1)

    vision = open_model(tmp_path / "model.safetensors").vision_model

    assert saved.keys() == {name for name in SWIN if not name.endswith("relative_position_index")}
    assert isinstance(vision, SwinVision)
    assert torch.allclose(other(pixels).pooler_output, vision.model(pixels).pooler_output, atol=1e-5)


@torch.inference_mode()
def test_text_is_the_mean_of_three_layers_over_padding_too(tmp_path: Path, system: MedClipSystem) -> None:
    """Layers 1, 2 and last, averaged over every place, padding included, then projected and made length 1."""
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=64, num_hidden_layers=3, num_attention_heads=1, intermediate_size=256
    )
    config.max_position_embeddings = 80
    state = {name[17:]: one for name, one in filled(MEDCLIP_SWIN).items() if name.startswith("text_model.model.")}
    other = BertModel(config)
    other.train(mode=False)
    other.load_state_dict(state)
    ids, mask = torch.tensor([[2, 6, 5, 3, 0, 0]]), torch.tensor([[1, 1, 1, 1, 0, 0]])
    states = other(ids, attention_mask=mask, output_hidden_states=True).hidden_states
    pooled = sum(states[layer].mean(1) for layer in (1, 2, 3)) / 3

    projected = pooled @ filled(MEDCLIP_SWIN)["text_model.projection_head.weight"].T

    assert torch.allclose(projected / projected.norm(), system.model.encode_text(ids, mask), atol=1e-5)


@torch.inference_mode()
def test_a_longer_text_beside_it_changes_a_vector(system: MedClipSystem) -> None:
    """The authors' pooling sees padding: the trap is reproduced, since the checkpoint was trained with it."""
    alone = system.embed(["pneumonia"])[0]

    assert not torch.allclose(alone, system.embed(["pneumonia", "no " * 20])[0], atol=1e-3)


def test_text_is_cut_at_77_pieces(system: MedClipSystem) -> None:
    """A text of any length gives the vector of its first 77 pieces."""
    with torch.inference_mode():
        assert torch.equal(system.embed(["no " * 75]), system.embed(["no " * 300]))


def test_tables_of_older_transformers_are_tolerated(tmp_path: Path, layout: Shapes) -> None:
    """`position_ids` and `relative_position_index` may be in the file or not: the answer is the same."""
    path = save(tmp_path, "with", layout | {"text_model.model.embeddings.position_ids": (1, 80)})
    bare = {key: shape for key, shape in layout.items() if not key.endswith("relative_position_index")}
    one, other = open_model(path), open_model(save(tmp_path, "without", bare))
    pixels = preprocess(film())[None]

    with torch.inference_mode():
        assert torch.equal(one.encode_image(pixels), other.encode_image(pixels))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("text_model.projection_head.weight", r"missing text_model\.projection_head\.weight"),
        ("text_model.model.pooler.dense.bias", r"missing text_model\.model\.pooler\.dense\.bias"),
        ("logit_scale", "missing logit_scale"),
    ],
)
def test_missing_tensor_is_named_as_in_the_file(tmp_path: Path, layout: Shapes, name: str, sentence: str) -> None:
    """The message names tensors as the published file does."""
    path = save(tmp_path, "part", {key: shape for key, shape in layout.items() if key != name})

    with pytest.raises(CheckpointError, match=rf"part\.safetensors is no checkpoint of MedCLIP: {sentence}"):
        open_model(path)


def test_missing_swin_tensor_has_its_published_name(tmp_path: Path) -> None:
    """Not the name that the installed transformers has for it."""
    name = "vision_model.model.encoder.layers.1.blocks.1.attention.self.query.bias"
    path = save(tmp_path, "part", {key: shape for key, shape in MEDCLIP_SWIN.items() if key != name})

    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        open_model(path)


@pytest.mark.parametrize(("stored", "scale"), [(-2.0, 1.0), (1.5, 4.481689), (4.7, 100.004)])
def test_scale_is_clamped(system: MedClipSystem, stored: float, scale: float) -> None:
    """Exp of the stored number, held between 0 and 4.6052 first."""
    system.model.logit_scale.data.fill_(stored)

    assert system.model.scale == pytest.approx(scale, rel=1e-4)


def test_small_film_is_padded_and_not_enlarged() -> None:
    """50 by 100 pixels stand in the middle of a black square of 224; 200 becomes (200/255 - 0.58628) / 0.27950."""
    expected = np.full((224, 224), -0.5862785803043838 / 0.27950088968644304)
    expected[62:162, 87:137] = (200 / 255 - 0.5862785803043838) / 0.27950088968644304

    image = preprocess(np.full((100, 50), 200, np.uint8))

    assert image.shape == (1, 224, 224)
    assert np.allclose(expected, image[0], atol=1e-6)


def test_large_film_is_padded_to_its_longest_side() -> None:
    """224 by 448 pixels fill the middle half of the square that is made smaller."""
    image = preprocess(np.full((224, 448), 255, np.uint8))[0]
    white, black = (1 - 0.5862785803043838) / 0.27950088968644304, -0.5862785803043838 / 0.27950088968644304

    assert np.allclose(white, image[112], atol=1e-5)
    assert np.allclose(black, image[[0, 50, 173, 223]], atol=1e-5)


def test_resize_is_bicubic_and_sees_every_pixel() -> None:
    """A large film is made smaller by Pillow's bicubic filter: an edge overshoots, and fine stripes become grey."""
    edge, stripes = np.zeros((448, 448), np.uint8), np.zeros((448, 448), np.uint8)
    edge[:, 223:], stripes[:, ::2] = 200, 255

    sharp = preprocess(edge)[0, 100] * 0.27950088968644304 + 0.5862785803043838
    grey = preprocess(stripes)[0, 100, 10:-10] * 0.27950088968644304 + 0.5862785803043838

    assert sharp.max() > 201 / 255
    assert np.allclose(0.5, grey, atol=0.05)


def test_one_channel_becomes_three_in_the_model(system: MedClipSystem) -> None:
    """The image encoder sees the grey values three times."""
    pixels = preprocess(film())[None]

    with torch.inference_mode():
        seen = system.model.vision_model(pixels.repeat(1, 3, 1, 1))[0]
        assert torch.allclose(seen / seen.norm(), system.model.encode_image(pixels)[0], atol=1e-6)


@torch.inference_mode()
def test_texts_of_one_class_are_averaged_as_cosines(system: MedClipSystem) -> None:
    """The authors average the logits of a class's prompts, not their vectors."""
    seen = system.model.encode_image(preprocess(film())[None])[0]
    expected = (system.embed(TEXTS[0]) @ seen).mean()

    assert torch.allclose(expected, system.cosines([film()], TEXTS)[0, 0], atol=1e-6)


GOLDEN = {
    "swin": [[0.311804, 0.304013, 0.384183], [0.318881, 0.316649, 0.364470]],
    "resnet": [[0.375644, 0.309050, 0.315306], [0.374650, 0.308809, 0.316541]],
}


def test_golden_vectors(tmp_path: Path, layout: Shapes) -> None:
    """Fixed weights, film and texts give fixed figures on every machine."""
    variant = "resnet" if layout is MEDCLIP_RESNET else "swin"

    judged = open_system(tmp_path, layout).judge([film(), film(50, 60, phase=1)], TEXTS)

    assert np.allclose(judged, GOLDEN[variant], atol=1e-4)


def test_text_encoder_of_one_layer_is_refused(tmp_path: Path) -> None:
    """The second layer is read, so there must be one."""
    layers = ("text_model.model.encoder.layer.1.", "text_model.model.encoder.layer.2.")
    shapes = {name: shape for name, shape in MEDCLIP_SWIN.items() if not name.startswith(layers)}

    with pytest.raises(CheckpointError, match="one layer"):
        open_model(save(tmp_path, "flat", shapes))


def test_vocabulary_of_another_model_is_refused(tmp_path: Path, system: MedClipSystem) -> None:
    """Word pieces that the checkpoint was not trained on are refused before the first film."""
    (word_folder(tmp_path) / "vocab.txt").write_text("\n".join([*WORDS, "another"]))

    with pytest.raises(CheckpointError, match=f"has {len(WORDS) + 1} word pieces and the checkpoint {len(WORDS)}"):
        MedClipSystem(system.model, open_bert_tokenizer(tmp_path))


def test_folder_without_vocabulary_is_refused(tmp_path: Path) -> None:
    """An empty folder must not become a tokenizer that knows no word."""
    path = save(tmp_path, "pytorch_model", MEDCLIP_SWIN)

    with pytest.raises(CheckpointError, match="holds no word pieces"):
        MedClipSystem.open(path, tmp_path)


def test_published_zip_fills_the_whole_model(tmp_path: Path) -> None:
    """Every tensor of the `pytorch_model.bin` in the zip arrives in the model unchanged."""
    state = filled(MEDCLIP_RESNET)
    torch.save(state, tmp_path / "pytorch_model.bin")
    with zipfile.ZipFile(tmp_path / "medclip-pretrained.zip", "w") as archive:
        archive.write(tmp_path / "pytorch_model.bin", "pytorch_model.bin")

    found = open_model(tmp_path / "medclip-pretrained.zip").state_dict()

    assert all(torch.equal(state[name], found[name]) for name in MEDCLIP_RESNET)
