"""What is stated of an image -> whether it can be the frontal chest film, and which of two is to be tried first.

It knows neither FHIR nor DICOM files: ImagingStudy, QIDO-RS and the file's own header are all brought to `Facts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

RADIOGRAPHY: Final = frozenset({"CR", "DX", "RG"})
"""DICOM modalities of projection radiographs (PS3.16 CID 29): computed, digital, conventional film."""
_RADIOGRAPHS: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray for Presentation
    }
)
_CAPTURES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
        "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture
        "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame Grayscale Word Secondary Capture
        "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame True Color Secondary Capture: grey ones are read
    }
)
_FOR_PROCESSING: Final = "1.2.840.10008.5.1.4.1.1.1.1.1"
_CHEST_CODES: Final = frozenset({"51185008", "816094009", "43799004", "302551006", "39607008", "T-D3000", "CHEST"})
"""SNOMED CT: thoracic structure, thorax, thoracic cavity, entire thorax, lung; SNOMED RT chest; DICOM's own word."""
_CHEST_WORDS: Final = re.compile(r"chest|thora|lung|pulmo", re.IGNORECASE)
FRONTAL_VIEWS: Final = frozenset({"PA", "AP"})
OTHER_VIEWS: Final = frozenset(
    {"LL", "RL", "LATERAL", "LAT", "LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "OBL", "XTABLE"}
)
"""DICOM ViewPosition (PS3.3 C.8.7.1.1.1 and in use) of lateral, decubitus and oblique films."""
_LATERAL_WORDS: Final = re.compile(
    r"\b(?:lat|lateral\w*|ll|rl|seitl\w*|profil\w*|decub\w*|obliqu\w*|schr(?:ä|ae)g\w*)\b", re.IGNORECASE
)
_FRONTAL_WORDS: Final = re.compile(r"\b(?:pa|ap|frontal\w*|postero-?anterior|antero-?posterior)\b", re.IGNORECASE)
_PAGE_WORDS: Final = re.compile(
    r"\b(?:dose|report|protocol|screen ?(?:save|shot|capture)|requisition|befund\w*|dosis\w*)\b", re.IGNORECASE
)
_SCOUT_WORDS: Final = re.compile(r"\b(?:scout|locali[sz]er|topogram|surview|scanogram)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source says of one image; everything may be empty, which is "not stated".

    Attributes:
        modality: DICOM (0008,0060).
        sop_class: DICOM (0008,0016).
        body: codes and words of the body part.
        view: DICOM ViewPosition (0018,5101).
        words: descriptions of series and instance.
        image_type: DICOM ImageType (0008,0008).
        intent: PresentationIntentType (0008,0068).
        area: rows times columns, 0 where not stated.
    """

    modality: str = ""
    sop_class: str = ""
    body: tuple[str, ...] = ()
    view: str = ""
    words: str = ""
    image_type: tuple[str, ...] = ()
    intent: str = ""
    area: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to pass an image over.

    Attributes:
        applies: whether it is to be passed over.
        of_study: what a clinician reads where no image of the study came further than this.
        of_file: the same where the image's own file says so.
    """

    applies: Callable[[Facts], bool]
    of_study: str
    of_file: str


def why_not(facts: Facts, *, of_file: bool = False) -> Rule | None:
    """Return the first rule that passes an image over, or None where it may be the film."""
    # Whether a fetched file's modality and body part are in its scope is for the model to judge.
    rules = RULES[2:] if of_file else RULES
    return next((rule for rule in rules if rule.applies(facts)), None)


def rank(facts: Facts) -> tuple[int, int, int]:
    """Return the place among the images of one study, the least first: frontal, no capture, the larger one."""
    return (0 if is_frontal(facts) else 1, 1 if facts.sop_class in _CAPTURES else 0, -facts.area)


def is_frontal(facts: Facts) -> bool:
    """Whether it is called a frontal view: by ViewPosition, or where that is silent by the descriptions."""
    if facts.view:
        return facts.view.upper() in FRONTAL_VIEWS
    return bool(_FRONTAL_WORDS.search(facts.words))


def shows_chest(codes: Iterable[str]) -> bool:
    """Whether any of these codes or words names the chest."""
    return any(text.upper() in _CHEST_CODES or _CHEST_WORDS.search(text) for text in codes)


def _is_other_modality(facts: Facts) -> bool:
    return facts.modality not in RADIOGRAPHY


def _is_elsewhere(facts: Facts) -> bool:
    return bool(facts.body) and not shows_chest(facts.body)


def _is_raw(facts: Facts) -> bool:
    return facts.sop_class == _FOR_PROCESSING or facts.intent.upper() == "FOR PROCESSING"


def _is_no_picture(facts: Facts) -> bool:
    other_class = bool(facts.sop_class) and facts.sop_class not in _RADIOGRAPHS | _CAPTURES
    return other_class or bool(_PAGE_WORDS.search(facts.words))


def _is_scout(facts: Facts) -> bool:
    return "LOCALIZER" in facts.image_type or bool(_SCOUT_WORDS.search(facts.words))


def _is_other_view(facts: Facts) -> bool:
    if facts.view:
        return facts.view.upper() in OTHER_VIEWS
    return not is_frontal(facts) and bool(_LATERAL_WORDS.search(facts.words))


_NONE_FRONTAL: Final = "no frontal view of the chest is on file"
RULES: Final = (
    Rule(_is_other_modality, "the imaging study on file is no radiograph", "it is no radiograph"),
    Rule(_is_elsewhere, "the radiograph on file does not show the chest", "it does not show the chest"),
    Rule(_is_raw, _NONE_FRONTAL, "it is a raw picture for processing, no finished one"),
    Rule(_is_no_picture, _NONE_FRONTAL, "it is a report or another object, no film"),
    Rule(_is_scout, _NONE_FRONTAL, "it is a scout view"),
    Rule(_is_other_view, _NONE_FRONTAL, "a lateral or oblique view was passed over"),
)
"""In this order: an image further down has come nearer to being the film, and its reason is the one that is told."""
