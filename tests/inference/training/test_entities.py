"""Training and judging the entity head, and the dictionary beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from inference.contract import TEXT_TOKENS, FloatArray, IntArray
from inference.entities import BIO_TAGS, KINDS, NEGATED, OTHER, OUTSIDE, TAGS, Entity, begin_tag
from inference.figures import Figure
from inference.model.entities import EntityHead
from inference.model.text import TextEncoder
from inference.training.cohort.marks import AnnotatedNote, mark, read_marks
from inference.training.entities import (
    NOT_READ,
    STAGE,
    STRANGERS,
    EntityStage,
    TaggedDocuments,
    draw_documents,
    fit_entities,
    tag_documents,
    tag_loss,
    with_strangers,
)
from inference.training.entity_dictionary import EntityDictionary
from inference.training.entity_figures import Reading, Tagger, assess_entities
from inference.training.tokenizer import train_tokenizer
from inference.words import open_tokenizer
from tests.inference.model.conftest import SMALL

MINIATURE = replace(SMALL, vocabulary=600, text_width=32, text_heads=2)
SEEN = 24


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Word pieces of some documents."""
    path = tmp_path_factory.mktemp("words") / "tokenizer.json"
    train_tokenizer([document.text for document in draw_documents(60, (0,), "train")], 600).save(str(path))
    return open_tokenizer(path)


def sure_logits(data: TaggedDocuments) -> torch.Tensor:
    """Return logits that say what the tags say."""
    tags = data.tags.clamp(min=OUTSIDE)
    logits = torch.nn.functional.one_hot(tags, BIO_TAGS) * 12.0
    return torch.cat([logits, data.attributes * 24 - 12], -1)


@cache
def judged() -> list[AnnotatedNote]:
    return draw_documents(SEEN, (7,), "test")


def figures(tag: Tagger, tokenizer: Tokenizer) -> dict[str, Figure]:
    return {figure.name: figure for figure in assess_entities(tag, tokenizer, seed=7, judged=SEEN)}


def test_each_piece_of_a_term_is_tagged(tokenizer: Tokenizer) -> None:
    """The first piece of a term begins it, the others are inside; what stands for no text is not read."""
    note = read_marks(f"no {mark('symptom', 'tracheal tug', '-')}, {mark('disease', 'asthma', '~')}")
    data = tag_documents([note], tokenizer)
    read = data.tags[0][data.tags[0] != NOT_READ].tolist()
    first = begin_tag("symptom")

    assert read[0] == OUTSIDE
    assert read[1] == first
    assert set(read[2:]) >= {first + 1, OUTSIDE, begin_tag("disease")}
    assert data.tags[0, 0] == NOT_READ


def test_attributes_lie_on_their_term(tokenizer: Tokenizer) -> None:
    """Only the pieces of a denied term are negated, only those of another person's are about someone else."""
    note = read_marks(f"no {mark('symptom', 'cough', '-')}, {mark('disease', 'asthma', '~')}")
    data = tag_documents([note], tokenizer)
    symptom = (data.tags[0] == begin_tag("symptom")) | (data.tags[0] == begin_tag("symptom") + 1)
    disease = (data.tags[0] == begin_tag("disease")) | (data.tags[0] == begin_tag("disease") + 1)

    assert torch.equal(data.attributes[0, :, 0] > 0, symptom)
    assert torch.equal(data.attributes[0, :, 1] > 0, disease)


def test_neighbouring_terms_begin_anew(tokenizer: Tokenizer) -> None:
    """Two terms of one kind side by side are two."""
    note = read_marks(f"{mark('symptom', 'cough')} {mark('symptom', 'fever')}")
    tags = tag_documents([note], tokenizer).tags[0].tolist()

    assert tags.count(begin_tag("symptom")) == 2


def test_loss_is_small_only_for_the_right_tags(tokenizer: Tokenizer) -> None:
    """Both halves of the loss count: wrong kinds and wrong negations each make it large."""
    data = tag_documents(draw_documents(8, (1,), "train"), tokenizer)
    right = sure_logits(data)
    denied, shifted = right.clone(), right.clone()
    denied[..., NEGATED] *= -1
    shifted[..., :BIO_TAGS] = right[..., :BIO_TAGS].roll(1, -1)

    assert tag_loss(right, data) < 1e-3
    assert min(tag_loss(denied, data), tag_loss(shifted, data)) > 1


def test_strangers_keep_the_tags(tokenizer: Tokenizer) -> None:
    """About a tenth of the words is replaced, never a token that frames or pads; what each place names stays."""
    torch.manual_seed(0)
    data = tag_documents(draw_documents(12, (1,), "train"), tokenizer)
    mixed = with_strangers(data, tokenizer.get_vocab_size())
    changed, words = mixed.tokens != data.tokens, data.tags != NOT_READ

    assert STRANGERS / 2 < changed[words].float().mean() < STRANGERS * 2
    assert not changed[~words].any()
    assert torch.equal(mixed.tags, data.tags)


def test_miniature_training_learns_and_leaves_the_encoder_alone(tokenizer: Tokenizer) -> None:
    """A few steps bring the loss down; the text encoder, and with it the answer, stays as it was."""
    torch.manual_seed(1)
    encoder = TextEncoder(MINIATURE)
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    reports: list[str] = []

    brief = EntityStage(replace(STAGE.optimisation, epochs=3, batch=4, rate=1e-2), 32)

    fit_entities(encoder, EntityHead(600, 32), tokenizer, 0, reports.append, brief)

    losses = [float(report.rsplit(" ", 1)[1]) for report in reports]
    assert losses[-1] < 0.9 * losses[0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())


def test_a_tagger_that_knows_everything_scores_one(tokenizer: Tokenizer) -> None:
    """What was tagged is read back: gold tags give every figure 1, on notes with typing errors too."""
    logits = sure_logits(tag_documents(judged(), tokenizer)).numpy()
    found = figures(lambda _: logits, tokenizer)

    assert all(found[name].value == 1 for name in ("entities.f1", *(f"entities.{kind}.f1" for kind in KINDS)))
    assert found["entities.negation.accuracy"].value == found["entities.other.accuracy"].value == 1
    assert 0.1 < found["entities.dictionary_f1"].value < 1


def test_a_tagger_that_knows_nothing_scores_zero(tokenizer: Tokenizer) -> None:
    """Nothing read is nothing right; the interval holds the figure."""

    def nothing(tokens: IntArray) -> FloatArray:
        logits = np.zeros((*tokens.shape, TAGS), np.float32)
        logits[..., OUTSIDE] = 9
        return logits

    found = figures(nothing, tokenizer)
    dictionary = found["entities.dictionary_f1"]

    assert found["entities.f1"].value == found["entities.negation.accuracy"].value == 0
    assert dictionary.low is not None
    assert dictionary.high is not None
    assert dictionary.low <= dictionary.value <= dictionary.high


def test_entities_behind_the_last_token_are_not_asked_for(tokenizer: Tokenizer) -> None:
    """A note longer than the model reads is judged by what it could read."""
    note = read_marks("word " * TEXT_TOKENS + mark("symptom", "cough"))

    assert tag_documents([note], tokenizer).tags.max() == OUTSIDE


@pytest.mark.parametrize(("attribute", "column"), [("negated", NEGATED), ("other", OTHER)])
def test_attributes_are_judged_on_entities_read_rightly(tokenizer: Tokenizer, attribute: str, column: int) -> None:
    """Turned attributes leave the F1 alone and bring their own accuracy to 0."""
    logits = sure_logits(tag_documents(judged(), tokenizer)).numpy()
    logits[..., column] *= -1
    found = figures(lambda _: logits, tokenizer)
    name = {"negated": "negation", "other": "other"}[attribute]

    assert found["entities.f1"].value == 1
    assert found[f"entities.{name}.accuracy"].value == 0


def test_an_entity_counts_only_to_the_character() -> None:
    """Another border or kind is wrong."""
    true = Entity("symptom", 0, 5, negated=False, other=False)
    reading = Reading((true,), (replace(true, end=4), replace(true, kind="disease")))

    assert reading.counts() == (0, 2, 1)
    assert reading.counts("disease") == (0, 1, 0)


@pytest.mark.parametrize(
    ("text", "negated", "other"),
    [
        ("Cough.", False, False),
        ("No fever or cough.", True, False),
        ("Cough not heard.", True, False),
        ("Brother has a cough.", False, True),
        ("No fever. Cough.", False, False),
    ],
)
def test_dictionary_reads_cues_of_the_same_sentence(text: str, negated: bool, other: bool) -> None:  # noqa: FBT001
    """The baseline looks for a denying word before or just behind the term, and for relatives and the past."""
    dictionary = EntityDictionary([read_marks(mark("symptom", "cough"))])
    (entity,) = dictionary.read(text)

    assert (entity.negated, entity.other) == (negated, other)
    assert text[entity.start : entity.end].lower() == "cough"


def test_dictionary_knows_only_what_it_met() -> None:
    """A new term, a misspelt one and a part of a word are not found; the longest term is."""
    dictionary = EntityDictionary([read_marks(f"{mark('symptom', 'dry cough')} {mark('symptom', 'cough')}")])

    assert dictionary.read("wheeze, couhg, coughs") == ()
    assert [entity.end - entity.start for entity in dictionary.read("dry cough")] == [9]
