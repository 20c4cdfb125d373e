from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from inference.baselines.compact.biovil_t import BioViLT, sine_positions
from inference.baselines.compact.chexzero import CheXzero
from inference.baselines.compact.joint import JointModel
from inference.baselines.compact.medclip import MedCLIP
from inference.baselines.compact.single import ImageOnly, TextOnly
from inference.baselines.compact.towers import TextTower, last_word, mean_word
from inference.model.image import ImageEncoder
from tests.inference.baselines.compact.conftest import SIZES

PAIRED: list[type[JointModel]] = [CheXzero, MedCLIP, BioViLT]
LABELS = torch.tensor([0, 1, 2, 0, 1])


class PlainEncoder(ImageEncoder):
    """An encoder with the members that compared systems use, and nothing else."""

    stem_width = SIZES.channels

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.first = nn.Conv2d(1, SIZES.channels, 1)
        self.last = nn.Linear(SIZES.channels, 8)

    def stem_map(self, image: Tensor) -> Tensor:
        """Map images (B, 1, S, S) to (B, C, G, G)."""
        features: Tensor = self.first(image)
        return features

    def from_map(self, features: Tensor) -> Tensor:
        """Turn a map (B, C, G, G) into tokens (B, P, width)."""
        tokens: Tensor = self.last(features.flatten(2).transpose(1, 2))
        return tokens


def silent(module: nn.Module) -> list[str]:
    """Names of the weights that no gradient reached."""
    return [name for name, weight in module.named_parameters() if weight.grad is None or not weight.grad.any()]


@pytest.mark.parametrize("kind", PAIRED)
def test_alignment_reaches_every_part_but_the_probe(kind: type[JointModel], maps: Tensor, tokens: Tensor) -> None:
    """Both towers, both projections and the temperature learn from pairs."""
    torch.manual_seed(0)
    system = kind(SIZES).eval()
    system.align(system.look(maps), system.read(tokens), LABELS).backward()  # type: ignore[no-untyped-call]

    # A key's bias moves all scores of a query alike, which softmax does not see.
    left = [name for name in silent(system) if not name.endswith("key.bias")]

    assert left == ["probe.weight", "probe.bias"]


@pytest.mark.parametrize("kind", PAIRED)
def test_answer_is_a_linear_probe_on_image_and_note(kind: type[JointModel], maps: Tensor, tokens: Tensor) -> None:
    """Logits are linear in the standardised embedding, which a note takes part in only where there is one."""
    system, absent = kind(SIZES).eval(), torch.zeros(5, 1)
    system.learn_scale(torch.randn(40, 2 * SIZES.joint + 1))
    raw = system.embed(maps, tokens, absent)
    embedding = (raw - system.centre) / system.spread

    assert not raw[:, SIZES.joint :].any()
    assert torch.allclose(
        system(maps, tokens, absent), embedding @ system.probe.weight.T + system.probe.bias, atol=1e-6
    )
    assert not torch.allclose(system(maps, tokens, absent), system(maps, tokens, 1 - absent))


def test_scale_is_that_of_the_training_films() -> None:
    """Standardised, they have mean 0 and deviation 1; a number that never varied keeps its scale."""
    system, seen = CheXzero(SIZES), torch.randn(50, 2 * SIZES.joint + 1) * 0.02 + 3
    seen[:, -1] = 1
    system.learn_scale(seen)
    scaled = system.standardise(seen)

    assert scaled.mean(0).abs().max() < 1e-4
    assert torch.allclose(scaled[:, :-1].std(0), torch.ones(2 * SIZES.joint), atol=1e-3)
    assert system.standardise(torch.zeros_like(seen))[0, -1] == -1


def test_causal_text_does_not_look_ahead(tokens: Tensor) -> None:
    """A later word changes no earlier state of CLIP's text transformer, and every state of BERT's."""
    changed = tokens.clone()
    changed[:, 3] = 7
    for causal in (True, False):
        tower = TextTower(SIZES, causal=causal).eval()
        same = torch.isclose(tower(tokens)[1:, 0], tower(changed)[1:, 0], atol=1e-6).all()
        assert bool(same) is causal


def test_shorter_neighbours_change_nothing(tokens: Tensor) -> None:
    """A note is read the same alone and beside a longer one."""
    tower = TextTower(SIZES).eval()

    alone = tokens[:1, :4]

    assert torch.allclose(mean_word(tower(tokens), tokens)[:1], mean_word(tower(alone), alone), atol=1e-6)


def test_words_are_pooled_without_padding() -> None:
    """The last piece is the last that is no padding, and the mean counts only words."""
    tokens, states = torch.tensor([[2, 5, 3, 0]]), torch.tensor([[[1.0], [2.0], [6.0], [100.0]]])

    assert last_word(states, tokens).item() == 6
    assert mean_word(states, tokens).item() == 3


def test_missing_prior_takes_part_in_the_answer(maps: Tensor) -> None:
    """The token that stands in for the prior film is heard by the patches."""
    system = BioViLT(SIZES).eval()
    before = system.look(maps)
    with torch.no_grad():
        system.missing_previous_emb.add_(torch.randn(system.missing_previous_emb.shape))

    assert not torch.allclose(system.look(maps), before, atol=1e-4)


def test_sine_positions_differ_from_place_to_place() -> None:
    """No two patches share a position code, and the codes of one row share its half."""
    codes = sine_positions(5, 16)

    assert len({tuple(code) for code in codes.tolist()}) == 25
    assert torch.equal(codes[0, :8], codes[4, :8])


def test_image_only_trains_what_comes_after_the_stem(maps: Tensor) -> None:
    """The stem stands still, the checkpoint's own encoder is left alone, and the head learns."""
    own = PlainEncoder().requires_grad_(requires_grad=False)
    system = ImageOnly(own, SIZES, 8)
    system(maps, torch.zeros(5, 2), torch.zeros(5, 1)).sum().backward()

    still = [name for name, weight in system.named_parameters() if not weight.requires_grad]
    assert silent(system) == still == ["encoder.first.weight", "encoder.first.bias"]
    assert not any(weight.requires_grad for weight in own.parameters())


def test_text_only_knows_the_shares_where_there_is_no_note(maps: Tensor, tokens: Tensor) -> None:
    """A case without a note gets the class shares of the training split."""
    system = TextOnly(SIZES).eval()
    system.learn_prior(torch.tensor([0, 1, 1, 2]))

    assert torch.allclose(system(maps, tokens, torch.zeros(5, 1)).softmax(-1)[3], torch.tensor([0.25, 0.5, 0.25]))
    assert not torch.allclose(system(maps, tokens, torch.ones(5, 1))[3], system(maps, tokens, torch.ones(5, 1))[4])


def test_odd_grid_is_refused_by_the_windowed_tower() -> None:
    """Two stages of windows halve the grid once; an odd one is an error, not a surprise."""
    with pytest.raises(ValueError, match="even grid, not 5"):
        MedCLIP(replace(SIZES, grid=5))
