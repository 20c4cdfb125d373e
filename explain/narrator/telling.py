"""Narrator and claims -> what it told, checked; what does not pass is refused and the template's sentences stay."""

from __future__ import annotations

from explain.evidence import Explanation
from explain.narrator.answer import objections, read_answer
from explain.narrator.prompt import prompt_of
from explain.narrator.protocol import Narrator, NarratorError
from explain.tested import Told
from inference.prediction import Prediction, Verdict


def tell_again(narrator: Narrator, prediction: Prediction, explanation: Explanation) -> Told:
    """Let a narrator word the claims again; never raises for what a narrator does.

    One sentence that says more than its claims, or one claim left out, refuses the whole text: half of it would read
    as the whole.
    """
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return Told(narrator.name, (), "the case was not assessed: there is nothing to tell")
    try:
        sentences = read_answer(narrator.write(prompt_of(explanation.claims)), len(explanation.claims))
    except NarratorError as error:
        return Told(narrator.name, (), str(error))
    found = objections(sentences, explanation)
    return Told(narrator.name, (), "; ".join(found)) if found else Told(narrator.name, sentences)
