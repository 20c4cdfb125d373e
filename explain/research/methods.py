"""Every method of explanation by its name: cases -> a map of what speaks for the answer, larger is more.

`relevance`, `attention_x_gradient` (of words) and `left_out_without_note` (of values) are what the graph gives with the
answer; `covering`, `leave_one_out` and `shapley` ask the whole model again for every part and are too dear for that:
what they find comes with the second tier, or says how good a map could be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from torch import Tensor

from explain.methods.covering import windows
from explain.methods.groups import GROUPS, membership
from explain.methods.shapley import shapley_values
from explain.research.cases import AT_ONCE, NO_WORD, Cases
from explain.research.passes import Passed, SeenThrough, pass_back, see_through
from explain.research.variants import Doubles, Subject
from fhir_adapter.record import Modality
from inference.contract import CLASSES, SLOTS
from inference.model.relevance import leave_out, normalise, propagate, signed_effect, weigh


@dataclass(frozen=True)
class Look:
    """A few cases with the pass through the fusion that belongs to the diagnosis which is explained."""

    subject: Subject
    passed: Passed

    @cached_property
    def through(self) -> SeenThrough:
        """The pass through the image encoder as well."""
        subject = self.subject
        answers = torch.from_numpy(subject.answers)
        return see_through(subject.model, self.cases.batch.image, subject.encoded, answers)

    @property
    def cases(self) -> Cases:
        """The cases."""
        return self.subject.cases


Method = Callable[[Look], Doubles]
"""Returns (B, PATCHES), (B, width of the longest note in words) or (B, SLOTS)."""


def as_doubles(maps: Tensor) -> Doubles:
    """Return a tensor as the array that curves and ranks take."""
    found: Doubles = maps.detach().double().numpy()
    return found


# The radiograph


def image_relevance(look: Look) -> Doubles:
    """Relevance by rules 5, 6 and 10 of Chefer et al. 2021."""
    return as_doubles(propagate(look.passed.output, look.passed.gradients)[1])


def grad_cam(look: Look) -> Doubles:
    """Grad-CAM (Selvaraju et al. 2017) with the image memory of the CATM as target layer."""
    return as_doubles(cam(look.passed.memory, look.passed.memory_gradient))


def cam(memory: Tensor, gradient: Tensor) -> Tensor:
    """Return the positive part of the channels of memory (B, P, D), each weighed by its mean gradient: (B, P)."""
    return (memory * gradient.mean(1, keepdim=True)).sum(-1).relu()


def image_attention(look: Look) -> Doubles:
    """The question's attention to the patches, mean over heads, summed over blocks."""
    return as_doubles(attended(look.passed.output.cross_maps))


def attended(maps: Sequence[Tensor]) -> Tensor:
    """Return the first row of maps (B, H, R, K), mean over heads, summed over blocks: (B, K)."""
    return torch.stack([attention[:, :, 0].mean(1) for attention in maps]).sum(0)


def rollout(look: Look) -> Doubles:
    """Attention rollout (Abnar and Zuidema 2020) through the image encoder, seen by the question's attention."""
    return as_doubles((attended(look.passed.output.cross_maps)[:, None] @ roll(look.through.maps))[:, 0])


def roll(maps: Sequence[Tensor]) -> Tensor:
    """Multiply attention maps (B, H, P, P), mean over heads, each half identity for what passes by: (B, P, P)."""
    through = torch.eye(maps[0].shape[-1]).expand(len(maps[0]), -1, -1)
    for attention in maps:
        through = (attention.mean(1) + torch.eye(attention.shape[-1])) / 2 @ through
    return through


def by_rollout(look: Look) -> Doubles:
    """Relevance at the image memory, led back to the patches by the rollout of the image encoder.

    What a token has of its own patch alone is left out: every token has it, whatever it tells.
    """
    through = roll(look.through.maps)
    elsewhere = through - torch.diag_embed(through.diagonal(dim1=1, dim2=2))
    onto_tokens = propagate(look.passed.output, look.passed.gradients)[1]
    return as_doubles((onto_tokens[:, None] @ elsewhere)[:, 0])


def through_encoder(look: Look) -> Doubles:
    """Relevance carried on through the blocks of the Vision Transformer (rules 5 and 6), to the patches of the stem."""
    onto_tokens = propagate(look.passed.output, look.passed.gradients)[1]
    return as_doubles((onto_tokens[:, None] @ carry(look.through.maps, look.through.gradients))[:, 0])


def carry(maps: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """Return relevance among tokens (B, P, P) of self-attention maps (B, H, P, P): rules 5 and 6, rows normalised."""
    identity = torch.eye(maps[0].shape[-1])
    among = identity.expand(len(maps[0]), -1, -1)
    for attention, slope in zip(maps, gradients, strict=True):
        among = among + weigh(attention, slope) @ among
    return normalise(among, identity)


def stem_cam(look: Look) -> Doubles:
    """Grad-CAM with the convolutional stem as target layer."""
    return as_doubles(cam(look.through.stem, look.through.stem_gradient))


def covering(look: Look) -> Doubles:
    """Fall of the answer when a window of the film is blurred, mean over the windows with a patch: what is shown."""
    subject, there, taken = look.subject, look.cases.there("image"), windows()
    whole, found = subject.film(there), np.zeros(there.shape)
    for window in taken:
        found += (whole - subject.film(there & ~window))[:, None] * window
    shared: Doubles = found / taken.sum(0)
    return shared


# The note


def text_relevance(look: Look) -> Doubles:
    """Relevance of the word pieces by rules 5 and 6, summed over each word."""
    return by_word(look.cases, of_note(look, propagate(look.passed.output, look.passed.gradients)[0]))


def text_effect(look: Look) -> Doubles:
    """The question's attention times its gradient, with its sign, summed over each word."""
    return by_word(look.cases, of_note(look, signed_effect(look.passed.output, look.passed.gradients)))


def text_attention(look: Look) -> Doubles:
    """The question's attention to the word pieces, mean over heads, summed over blocks and over each word."""
    return by_word(look.cases, of_note(look, attended(look.passed.output.self_maps)))


def text_left_out(look: Look) -> Doubles:
    """Fall of the answer when one word is deleted."""
    return left_out(look, "text")


def of_note(look: Look, queries: Tensor) -> Tensor:
    """Return the part of a number for each query (B, Q) that is of the word pieces (B, T)."""
    return queries[:, 1 : 1 + look.cases.batch.tokens.shape[1]]


def by_word(cases: Cases, pieces: Tensor) -> Doubles:
    """Add up what is of word pieces (B, T) over the words of the note (B, width)."""
    belongs = cases.words != NO_WORD
    found = torch.zeros(len(cases), cases.width)
    found.scatter_add_(1, cases.words.clamp(min=0), pieces.float() * belongs)
    return as_doubles(found)


# The structured record


def value_effect(look: Look) -> Doubles:
    """The question's attention times its gradient, with its sign."""
    return as_doubles(signed_effect(look.passed.output, look.passed.gradients)[:, -SLOTS:])


def value_left_out_alone(look: Look) -> Doubles:
    """Fall of the answer's log-odds when one value is absent and the note left aside, as the graph gives it."""
    subject = look.subject
    answers = torch.nn.functional.one_hot(torch.from_numpy(subject.answers), CLASSES).float()
    with torch.no_grad():
        return as_doubles(leave_out(subject.model, subject.encoded, answers))


def value_left_out(look: Look) -> Doubles:
    """Fall of the answer when one value is absent."""
    return left_out(look, "structured")


def value_shapley(look: Look) -> Doubles:
    """Exact Shapley values of the clinical groups with film and note there, each shared out evenly over its values."""
    rows = [slice(place, place + 1) for place in range(len(look.cases))]
    return np.concatenate([slot_shares(look.subject.pick(row)) for row in rows])


def slot_shares(subject: Subject) -> Doubles:
    """Return the Shapley value of the structured inputs of one case, (1, SLOTS)."""
    there = subject.cases.there("structured")[0]
    table = membership(GROUPS) & there
    table = table[table.any(1)]
    rows = np.arange(2 ** len(table))
    inside = (rows[:, None] >> np.arange(len(table)) & 1).astype(np.int64)
    points = shapley_values(subject.values_of_first(inside @ table.astype(np.int64) > 0))
    shared: Doubles = (points / table.sum(1))[None] @ table
    return shared


def left_out(look: Look, modality: Modality) -> Doubles:
    """Return the fall of the answer when each part of a modality is taken away alone."""
    ask, there = look.subject.ask(modality), look.cases.there(modality)
    whole, found = ask(there), np.zeros(there.shape)
    for place in np.flatnonzero(there.any(0)):
        kept = there.copy()
        kept[:, place] = False
        found[:, place] = whole - ask(kept)
    return found


def drawn(modality: Modality, draw: int) -> Method:
    """Return a method that knows nothing: each case's map is drawn from its number, another for each `draw`."""

    def at_random(look: Look) -> Doubles:
        length = look.cases.there(modality).shape[1]
        return np.stack([np.random.default_rng([draw, number, 11]).random(length) for number in look.cases.numbers])

    return at_random


RANDOM: Final = "random"
METHODS: Final[Mapping[Modality, Mapping[str, Method]]] = {
    "image": {
        "relevance": image_relevance,
        "gradcam": grad_cam,
        "relevance_by_rollout": by_rollout,
        "relevance_through_encoder": through_encoder,
        "gradcam_stem": stem_cam,
        "rollout": rollout,
        "raw_attention": image_attention,
        "covering": covering,
        RANDOM: drawn("image", 0),
    },
    "text": {
        "relevance": text_relevance,
        "attention_x_gradient": text_effect,
        "raw_attention": text_attention,
        "leave_one_out": text_left_out,
        RANDOM: drawn("text", 0),
    },
    "structured": {
        "left_out_without_note": value_left_out_alone,
        "attention_x_gradient": value_effect,
        "shapley": value_shapley,
        "leave_one_out": value_left_out,
        RANDOM: drawn("structured", 0),
    },
}
SHIPPED: Final[Mapping[Modality, str]] = {
    "image": "covering",
    "text": "leave_one_out",
    "structured": "left_out_without_note",
}
"""What the page marks: in the record with the answer, on film and note with the second tier.

The exact shares of the clinical groups, which take the place of the record's bars then, are `shapley`: they stand
beside the others, but one share for several values of a group points at none of them.
"""
DEAR: Final = frozenset({"covering", "leave_one_out", "shapley"})
"""Methods that ask the model again for every part."""


def draw_maps(subject: Subject, methods: Mapping[str, Method]) -> dict[str, Doubles]:
    """Draw the maps of all cases by several methods, each (N, U)."""
    found: dict[str, list[Doubles]] = {name: [] for name in methods}
    for start in range(0, len(subject.cases), AT_ONCE):
        part = subject.pick(slice(start, start + AT_ONCE))
        look = Look(part, pass_back(part.model, part.encoded, torch.from_numpy(part.answers)))
        for name, method in methods.items():
            found[name].append(method(look))
    return {name: np.concatenate(maps) for name, maps in found.items()}


def shippable(modality: Modality) -> dict[str, Method]:
    """Return the methods of a modality that come with the answer's own pass, and the one that ships; not chance."""
    shipped = SHIPPED[modality]
    return {
        name: method
        for name, method in METHODS[modality].items()
        if name == shipped or (name not in DEAR and name != RANDOM)
    }
