"""What the second tier adds to the page, and what it takes away."""

import re
from dataclasses import replace

import pytest

from explain.page import PageView, render_page
from explain.tested import Change, Help, Step
from tests.explain.examples import OUT_OF_SCOPE, UNSURE, view
from tests.explain.findings import REFUSED, TOLD, checked_view, failing
from tests.explain.html_reader import Reader


def read(page: PageView) -> Reader:
    return Reader(render_page(page))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"checking": "running"}, "Being checked."),
        ({"checking": "failed"}, "The evidence could not be tested for this case."),
        ({"checking": "done"}, "The evidence could not be tested for this case."),
        ({"checking": "none"}, "Not tested for this case."),
    ],
)
def test_where_the_second_tier_stands_is_said(changes: dict[str, str], text: str) -> None:
    """Until the evidence is tested, the page says that it is being checked, could not be, or is not going to be."""
    assert text in read(replace(view(), **changes)).text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (replace(view(), checking="running"), "Being measured: parts of the film are covered one by one"),
        (replace(view(), checking="running"), "Being measured: the words are taken away one by one"),
        (replace(view(), checking="failed"), "No marks: what taking words away does to the answer was not"),
        (checked_view(words=(), zones=()), "No words of the note stand out when they are taken away"),
        (replace(view(), checking="failed"), "No map: what covering parts of the film does to the answer was not"),
        (checked_view(zones=()), "Covering parts of the film does not lower the answer: there is no map."),
    ],
    ids=["film running", "note running", "note failed", "note flat", "film failed", "film flat"],
)
def test_what_has_no_marks_says_why(page: PageView, text: str) -> None:
    """Until map and marks are measured, and where there are none, the page says so; there is no slider."""
    shown = read(page)
    assert text in shown.text
    assert not {"heat", "opacity"} & set(shown.ids())


def test_running_page_knows_where_to_ask() -> None:
    """While it runs, the page knows the address of the status, and tells those without JavaScript to reload."""
    page = read(replace(view(), checking="running", status_url='/pages/abc/status?"><b>'))
    main = next(attributes for tag, attributes in page.elements if tag == "main")
    assert (main["data-checking"], main["data-status-url"]) == ("running", '/pages/abc/status?"><b>')
    assert "Reload the page in a few seconds" in page.text


@pytest.mark.parametrize(
    "text",
    [
        "✓ −31 · random −4 · beats 20 of 20",
        "passed: Taking away the marked parts of the film, step by step, lowers the answer by 31 points on average; "
        "random parts of the same sizes lower it by 4 points. Stronger than 20 of 20 random choices.",
        "right lower zone sentence 247 %−12",
        "taken away −5 points",
        "With C-reactive protein 18 mg/L instead of 96 mg/L, and everything else the same, bacterial pneumonia would "
        "stay the likeliest (71 %), but the set would hold bacterial pneumonia and viral pneumonia.",
        "Procalcitonin: expected to leave the set as it is, 0.11 bits surer on average",
        "exact Shapley points of 9 groups, together +14.0.",
        "+4.2 points, fortogether: White cells and neutrophils",
    ],
)
def test_what_a_tested_page_shows(text: str) -> None:
    """Each figure that was measured stands where its evidence is."""
    assert re.sub(r"\s", " ", text) in re.sub(r"\s", " ", read(checked_view()).text)


def test_bars_of_groups_add_up() -> None:
    """The points of the groups, as printed, add up to what they are said to be together; the residual is at hand."""
    html = render_page(checked_view())
    points = [
        float(figure.replace("−", "-"))
        for figure in re.findall(r'class="figure \w+">([+−]?\d+\.\d)</span><span class="hidden"> points', html)
    ]
    assert len(points) == 9
    assert sum(points) == pytest.approx(14.0)
    assert 'title="Largest difference in the sum: 1.1e-16"' in html


@pytest.mark.parametrize(
    ("modality", "gone", "left"),
    [
        ("image", r'id="heat"|id="zone-right-lower-zone"|id="opacity"|47 %', r"<mark id|\+6\.3"),
        ("text", r"<mark id|speaks for</mark>|data-detail", r'id="heat"|\+6\.3'),
        ("structured", r'class="pull"|\+6\.3|exact Shapley points', r'id="heat"|<mark id'),
    ],
)
def test_marks_no_better_than_chance_are_withdrawn(modality: str, gone: str, left: str) -> None:
    """Marks of a modality that do not beat chance are not on the page, a sentence says why; the others stay."""
    html = render_page(checked_view(**failing(modality)))  # type: ignore[arg-type]
    assert not re.search(gone, html)
    assert len(re.findall(left, html)) >= 2
    assert len(re.findall(r"<strong><span aria-hidden=\"true\">✗</span> Withdrawn.</strong>", html)) == 1
    assert "6 of 20 random choices" in html


def test_sentences_on_withdrawn_evidence_are_withdrawn() -> None:
    """A sentence that was told before its evidence failed is not shown any more, and the page says so."""
    told, whole = checked_view(), checked_view(**failing("image"))
    stale = replace(whole, explanation=replace(whole.explanation, claims=told.explanation.claims))
    page = read(stale)
    assert "right lower zone" not in page.text
    assert "1 sentence was withdrawn with the evidence it cites." in page.text


def test_no_change_found_is_said() -> None:
    """Where no small change gives another answer, and nothing absent would help, the page says so."""
    page = read(checked_view(change=None, helps=()))
    assert "No change of up to three measurements or findings was found" in page.text
    assert "Nothing that is absent would be expected to settle it." in page.text


def test_a_finding_taken_away_is_quoted() -> None:
    """A change of the note names the words that would not be there."""
    steps = (Step("finding", "crackles right base", None, None, ""), Step("crp", "C-reactive protein", 96, 4.2, "mg/L"))
    page = read(checked_view(change=Change(steps, "answer", "viral", 0.52, ("viral",))))
    assert (
        "Without “crackles right base” in the note and with C-reactive protein 4.2 mg/L instead of 96 mg/L, and "
        "everything else the same, viral pneumonia would be the likeliest (52 %), and the set would hold "
        "viral pneumonia."
    ) in "".join(page.words).replace("\u00a0", " ")


def test_help_that_narrows_the_set() -> None:
    """An absent input that would narrow the set says from how many diagnoses to how many."""
    page = read(checked_view(helps=(Help("image", "Radiograph", 2, 1.25, 0.4),)))
    assert "Radiograph: expected to narrow the set from 2 diagnoses to 1.2 on average" in page.text


def test_narrators_sentences_replace_the_templates() -> None:
    """A narrator's checked text is shown, labelled as generated, each sentence tied to the evidence of its claims."""
    html = render_page(checked_view(told=TOLD))
    assert "written by a language model, medgemma-4b" in Reader(html).text
    assert "From the radiograph, the note, 9 measurements" not in html
    second = re.search(r'<li[^>]*id="sentence-2"[^>]*data-pieces="([^"]*)"', html)
    assert second
    assert {"zone-right-lower-zone", "value-crp", "value-wbc"} <= set(second[1].split())


def test_refused_narrator_is_named() -> None:
    """A narrator whose text was refused is named with the reason, and the page keeps its own sentences."""
    page = read(checked_view(told=REFUSED))
    assert "The text of the language model medgemma-4b was not used: a number in its second sentence" in page.text
    assert "From the radiograph, the note, 9 measurements" in page.text


def test_out_of_scope_is_never_being_checked() -> None:
    """A case that was not assessed has no evidence to test, and no word on testing."""
    page = read(replace(view(**OUT_OF_SCOPE), checking="running", status_url="/pages/abc/status"))
    assert "eing checked" not in page.text
    assert "What would change this" not in page.text


def test_unsure_page_keeps_its_reasons() -> None:
    """Unsure, the reasons stand under the leaning, and nothing is called likely."""
    page = read(view(**UNSURE))
    assert "Unsure, leaning towards bacterial pneumonia" in page.text
