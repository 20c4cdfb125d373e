"""What the second tier found -> an Observation: does the marked evidence matter more than random evidence, here?"""

from __future__ import annotations

from collections.abc import Iterator

from fhir.resources.R4B.observation import Observation

from explain.fhir.codes import UCUM, URI, Json, local, points
from explain.fhir.contributions import MODALITIES, part
from explain.fhir.subject import Told
from explain.fhir.valid import checked
from explain.tested import Fidelity, Tested


def fidelity(told: Told, tested: Tested) -> Json:
    """Return the test of the marks of each modality that was given."""
    resource = {
        **told.asserted("Observation", "fidelity", [verdict_on(one) for one in tested.fidelity] or ["Nothing marked."]),
        "identifier": [{"system": URI, "value": f"{told.job.urn}#fidelity"}],
        "status": told.status,
        "code": local("fidelity", "Fidelity of the marked evidence against random evidence"),
        "focus": [told.reference("RiskAssessment")],
        "effectiveDateTime": told.at,
        "issued": told.at,
        "device": told.device,
        "component": [*(piece for one in tested.fidelity for piece in _of(one)), _residual(tested)],
    }
    return checked(Observation, resource)


def verdict_on(one: Fidelity) -> str:
    """Say in one sentence whether the marks of a modality hold."""
    told = "hold" if one.holds else "do not hold and are withdrawn"
    return f"The marks on {MODALITIES[one.modality]} {told}: they beat {one.beaten} of {one.controls} random ones."


def _of(one: Fidelity) -> Iterator[Json]:
    name = MODALITIES[one.modality]
    for code, text, value in (
        ("comprehensiveness", f"fall without the marked part of {name}", one.comprehensiveness),
        ("random-comprehensiveness", f"fall without random parts of {name}", one.random_comprehensiveness),
        ("sufficiency", f"fall with the marked part of {name} alone", one.sufficiency),
        ("random-sufficiency", f"fall with random parts of {name} alone", one.random_sufficiency),
    ):
        yield part(f"{code}-{one.modality}", text, points(value))
    beaten = {"numerator": _count(one.beaten), "denominator": _count(one.controls)}
    if one.controls:
        yield {"code": local(f"beaten-{one.modality}", f"random maps of {name} that are beaten"), "valueRatio": beaten}
    yield {"code": local(f"holds-{one.modality}", f"marks on {name} hold"), "valueBoolean": one.holds}


def _residual(tested: Tested) -> Json:
    return part("residual", "what the contributions of the groups fail to add up to", points(tested.residual))


def _count(number: int) -> Json:
    return {"value": number, "system": UCUM, "code": "1"}
