from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM

from inference.baselines.published import biovil_t
from inference.baselines.published.biovil_t import BioVil, open_image_model, preprocess, stretch
from inference.baselines.published.cxr_bert import embed_phrases, open_text_model
from inference.manifest import CheckpointError
from tests.inference.baselines.published import layouts
from tests.inference.baselines.published.films import film
from tests.inference.baselines.published.layouts import Shapes
from tests.inference.baselines.published.small import (
    BIOVIL,
    BIOVIL_T,
    CXR_BERT,
    DEPTHS,
    TEXT,
    WORDS,
    filled,
    save,
    word_folder,
)

TEXTS = [["No pneumonia.", "clear lungs"], ["bacterial pneumonia"], ["viral pneumonia", "interstitial opacities"]]


def open_system(folder: Path, layout: Shapes) -> BioVil:
    image, text = save(folder, "image", layout), save(folder, "pytorch_model", CXR_BERT)
    return BioVil.open(image, text, word_folder(folder / "words"))


@pytest.fixture
def system(tmp_path: Path) -> BioVil:
    return open_system(tmp_path, BIOVIL_T)


def test_film_without_prior_has_the_learned_token(system: BioVil) -> None:
    """Where no earlier film is given, the second half of every patch is `missing_previous_emb`."""
    with torch.inference_mode():
        patches = system.image.encoder(torch.rand(2, 3, 448, 448), None)

    missing = filled(BIOVIL_T)["encoder.missing_previous_emb"]
    assert patches.shape == (2, 64, 14, 14)
    assert torch.equal(patches[:, 32:], missing.expand(2, 32, 14, 14))


def test_film_with_prior_keeps_its_static_half(system: BioVil) -> None:
    """An earlier film changes the second half of the patches and not the first."""
    images, earlier = torch.rand(2, 1, 3, 448, 448, generator=torch.Generator().manual_seed(1))

    with torch.inference_mode():
        alone, compared = system.image.encoder(images, None), system.image.encoder(images, earlier)

    assert torch.allclose(alone[:, :32], compared[:, :32], atol=1e-5)
    assert not torch.allclose(alone[:, 32:], compared[:, 32:], atol=0.1)


@pytest.mark.parametrize("side", [416, 480])
def test_prior_needs_448_pixels(system: BioVil, side: int) -> None:
    """The transformer knows places on a grid of 14 by 14 only; without an earlier film any size will do."""
    images = torch.rand(1, 3, side, side)

    with pytest.raises(ValueError, match="448"):
        system.image(images, images)
    with torch.inference_mode():
        assert system.image(images).shape == (1, 16, side // 32, side // 32)


def test_projector_normalises_with_its_running_figures(system: BioVil) -> None:
    """1x1 convolution, batch norm in evaluation, ReLU, 1x1 convolution."""
    state = filled(BIOVIL_T)
    patches = torch.rand(1, 64, 2, 2)
    inner = torch.einsum("oi,bihw->bohw", state["projector.model.0.weight"][..., 0, 0], patches)
    mean, spread, scale, shift = (
        state[f"projector.model.1.{name}"].view(1, 16, 1, 1)
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    inner = ((inner - mean) / (spread + 1e-5).sqrt() * scale + shift).relu()
    outer = torch.einsum("oi,bihw->bohw", state["projector.model.3.weight"][..., 0, 0], inner)

    with torch.inference_mode():
        expected = outer + state["projector.model.3.bias"].view(1, 16, 1, 1)
        assert torch.allclose(expected, system.image.projector(patches), atol=1e-5)


def test_both_image_models_are_told_apart(tmp_path: Path) -> None:
    """BioViL has patches of 32 times the stem's width and films of 480, BioViL-T of 448."""
    one, other = (open_image_model(save(tmp_path, "image", layout)) for layout in (BIOVIL, BIOVIL_T))

    assert (one.crop, one.encoder.width) == (480, 256)
    assert (other.crop, other.encoder.width) == (448, 64)


def test_biovil_takes_no_prior(tmp_path: Path) -> None:
    """The older model has nowhere to put an earlier film."""
    system = open_system(tmp_path, BIOVIL)

    with pytest.raises(ValueError, match="takes no earlier film"):
        system.cosines([film()], TEXTS, [film()])


def test_every_film_needs_its_own_prior(system: BioVil) -> None:
    """One earlier film for two films cannot be told apart from a mistake."""
    with pytest.raises(ValueError, match="1 earlier films were given for 2 films"):
        system.cosines([film(), film()], TEXTS, [film()])


@torch.inference_mode()
def test_phrase_agrees_with_a_bert_of_transformers(tmp_path: Path, system: BioVil) -> None:
    """State of [CLS] of an independent BERT, dense, GELU, LayerNorm, dense, length 1."""
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=64, num_hidden_layers=3, num_attention_heads=1, intermediate_size=256
    )
    config.max_position_embeddings = 80
    other = BertForMaskedLM(config)
    other.train(mode=False)
    state = filled(CXR_BERT)
    other.load_state_dict({name: one for name, one in state.items() if not name.startswith("cls")}, strict=False)
    ids, mask = torch.tensor([[2, 6, 5, 3, 0], [2, 7, 8, 5, 3]]), torch.tensor([[1, 1, 1, 1, 0], [1] * 5])
    first = other.bert(ids, attention_mask=mask).last_hidden_state[:, 0]
    head = {name[20:]: tensor for name, tensor in state.items() if name.startswith("cls_projection_head.")}
    hidden = torch.nn.functional.gelu(first @ head["dense_to_hidden.weight"].T + head["dense_to_hidden.bias"])
    hidden = torch.nn.functional.layer_norm(hidden, (16,), head["LayerNorm.weight"], head["LayerNorm.bias"], 1e-12)
    expected = hidden @ head["dense_to_output.weight"].T + head["dense_to_output.bias"]

    assert torch.allclose(expected / expected.norm(dim=-1, keepdim=True), system.text(ids, mask), atol=1e-5)


def test_closing_marks_are_taken_off(system: BioVil) -> None:
    """A phrase means the same with and without its full stop."""
    with_marks = embed_phrases(system.text, system.tokenizer, ["no pneumonia.", "clear lungs?!"])

    assert torch.equal(with_marks, embed_phrases(system.text, system.tokenizer, ["no pneumonia", "clear lungs"]))


def test_padding_changes_no_phrase(system: BioVil) -> None:
    """Unlike MedCLIP, a longer phrase beside it leaves a phrase's vector alone."""
    alone = embed_phrases(system.text, system.tokenizer, ["pneumonia"])[0]

    assert torch.allclose(alone, embed_phrases(system.text, system.tokenizer, ["pneumonia", "no " * 20])[0], atol=1e-5)


def test_phrase_too_long_is_refused(system: BioVil) -> None:
    """The model has 80 places here, 512 as published."""
    with pytest.raises(ValueError, match="80 word pieces"):
        embed_phrases(system.text, system.tokenizer, ["no " * 90])


@pytest.mark.parametrize(
    "names", [("bert.embeddings.position_ids",), ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")]
)
def test_text_tables_and_tied_tensors_are_tolerated(tmp_path: Path, names: tuple[str, ...]) -> None:
    """What older transformers wrote too much, and what safetensors leaves out because it is stored elsewhere."""
    state = filled({name: shape for name, shape in CXR_BERT.items() if name not in names})
    if names[0] not in CXR_BERT:
        state |= {name: torch.arange(80)[None] for name in names}
    save_file(state, tmp_path / "text.safetensors")

    assert open_text_model(tmp_path / "text.safetensors").cls_projection_head.dense_to_output.out_features == 16


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("encoder.missing_previous_emb", None, r"missing encoder\.missing_previous_emb"),
        ("encoder.encoder.fc.bias", None, r"missing encoder\.encoder\.fc\.bias"),
        ("encoder.encoder.fc.weight", None, r"missing encoder\.encoder\.fc\.weight"),
        ("encoder.vit_pooler.type_embed", torch.zeros(3, 1, 32), "type_embed .* instead of"),
        ("encoder.vit_pooler.pos_embed", torch.zeros(1, 196, 32), r"unknown encoder\.vit_pooler\.pos_embed"),
        ("encoder.backbone_to_vit.weight", torch.zeros(36, 256, 1, 1), "no multiple of 32"),
    ],
)
def test_file_of_another_model_is_refused(tmp_path: Path, name: str, value: Tensor | None, sentence: str) -> None:
    """A file that is almost BioViL-T's is refused, and the tensor is named."""
    state = {key: tensor for key, tensor in filled(BIOVIL_T).items() if key != name}
    save_file(state if value is None else state | {name: value}, tmp_path / "other.safetensors")

    with pytest.raises(CheckpointError, match=rf"other\.safetensors is no checkpoint of BioViL.*{sentence}"):
        open_image_model(tmp_path / "other.safetensors")


def test_published_name_with_other_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a published name must have the published digest: a broken download is found before it answers."""
    path = save(tmp_path, "image", BIOVIL_T)
    monkeypatch.setattr(biovil_t, "PUBLISHED_MD5", {path.name: "0" * 32})

    with pytest.raises(CheckpointError, match="name of a published file and not its content"):
        open_image_model(path)


def test_published_content_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with its published digest is opened."""
    path = save(tmp_path, "image", BIOVIL_T)
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(biovil_t, "PUBLISHED_MD5", {path.name: digest})

    assert open_image_model(path).embed == 16


def test_digests_are_those_of_the_authors() -> None:
    """MD5 of the two image models, as their repository gives them."""
    assert biovil_t.PUBLISHED_MD5 == {
        "biovil_t_image_model_proj_size_128.pt": "a83080e2f23aa584a4f2b24c39b1bb64",
        "biovil_image_resnet50_proj_size_128.pt": "02ce6ee460f72efd599295f440dbb453",
    }


def test_models_of_two_spaces_are_refused(tmp_path: Path) -> None:
    """An image model and a text model that were not published together cannot be compared."""
    text = save(tmp_path, "text", layouts.cxr_bert(embed=24, **TEXT))

    with pytest.raises(CheckpointError, match="published together"):
        BioVil.open(save(tmp_path, "image", BIOVIL), text, word_folder(tmp_path))


def test_stretch_reaches_from_0_to_255() -> None:
    """Darkest to 0, brightest to 255, fractions cut off: (20 - 10) / 50 * 255 = 51, (33 - 10) / 50 * 255 = 117.3."""
    stretched = stretch(np.array([[10, 20], [33, 60]], np.uint8))

    assert stretched.tolist() == [[0, 51], [117, 255]]


def test_film_of_one_value_stays_black() -> None:
    """Where the authors divide by zero, nothing is made up."""
    assert not preprocess(np.full((9, 7), 80, np.uint8), 448).any()


@pytest.mark.parametrize(("crop", "top", "left"), [(448, 32, 76), (480, 16, 60)])
def test_middle_of_the_film_is_cropped(crop: int, top: int, left: int) -> None:
    """512 by 600 pixels need no resize: the crop is the middle, byte for byte over 255, in three channels."""
    grey = film(512, 600)

    image = preprocess(grey, crop)

    expected = grey[top : top + crop, left : left + crop].astype(np.float32) / np.float32(255)
    assert (grey.min(), grey.max()) == (0, 255)
    assert np.array_equal(np.stack([expected] * 3), image.numpy())


def test_shorter_side_becomes_512() -> None:
    """A film of 256 by 1024 is doubled, so the crop shows 224 by 224 of its pixels: columns 400 to 624."""
    grey = np.zeros((256, 1024), np.uint8)
    grey[:, 500:] = 255

    row = preprocess(grey, 448)[0, 200]

    assert not row[: 2 * 100 - 1].any()
    assert bool((row[2 * 100 + 1 :] == 1).all())


GOLDEN = {
    "biovil": [[-0.050261, -0.063240, -0.010962], [-0.058239, -0.070511, -0.017935]],
    "biovil_t": [[-0.257567, -0.239816, -0.231371], [-0.254521, -0.237723, -0.230900]],
    "prior": [[-0.065296, -0.075957, -0.133412]],
}


@pytest.mark.parametrize("name", ["biovil", "biovil_t"])
def test_golden_vectors(tmp_path: Path, name: str) -> None:
    """Fixed weights, film and texts give fixed figures on every machine."""
    system = open_system(tmp_path, {"biovil": BIOVIL, "biovil_t": BIOVIL_T}[name])

    cosines = system.cosines([film(), film(50, 60, phase=1)], TEXTS)

    assert np.allclose(cosines, GOLDEN[name], atol=1e-4)


def test_answer_is_the_softmax_of_the_cosines(system: BioVil) -> None:
    """The files hold no temperature: it is 1 unless one is given."""
    cosines = torch.tensor(GOLDEN["biovil_t"][:1])
    warm = BioVil(system.image, system.text, system.tokenizer, temperature=0.1)

    assert np.allclose(system.judge([film()], TEXTS), cosines.softmax(-1), atol=1e-4)
    assert np.allclose(warm.judge([film()], TEXTS), (cosines / 0.1).softmax(-1), atol=1e-3)


def test_golden_vectors_with_a_prior(system: BioVil) -> None:
    """The comparison with an earlier film has its own fixed figures."""
    cosines = system.cosines([film()], TEXTS, [film(50, 60, phase=1)])

    assert np.allclose(cosines, GOLDEN["prior"], atol=1e-4)


def test_layout_has_blocks_of_the_resnet(tmp_path: Path) -> None:
    """Depths of the four stages come from the names."""
    model = open_image_model(save(tmp_path, "image", BIOVIL))

    stages = [model.encoder.encoder.get_submodule(f"layer{stage}") for stage in (1, 2, 3, 4)]
    assert [sum(1 for _ in stage.children()) for stage in stages] == list(DEPTHS)
