from __future__ import annotations

import orjson
import pytest

from cds_hooks.commands.figures import percentile, print_figures
from cds_hooks.commands.hook_benchmark import Timings, hook_figures
from inference.figures import Figure


def test_figures_are_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Acceptance scripts read exactly these keys."""
    print_figures("bench hook", [Figure("hook.x", 1.23456, "ms", 5)], as_json=True)
    body = orjson.loads(capsys.readouterr().out)

    assert body.keys() == {"figures", "command", "version", "machine"}
    assert body["figures"] == [{"name": "hook.x", "value": 1.2346, "unit": "ms", "n": 5, "low": None, "high": None}]


def test_table_names_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """People get the same numbers in a table."""
    print_figures("bench hook", [Figure("hook.x", 1.5, "ms", 5, 1.0, 2.0)], as_json=False)
    shown = capsys.readouterr().out

    assert "hook.x" in shown
    assert "1.00 to 2.00" in shown


def test_percentile_lies_in_its_interval() -> None:
    """The interval holds the value, and the same measurements give the same interval."""
    values = [float(number) for number in range(1, 41)]
    figure = percentile("x", values, 95)

    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= figure.value <= figure.high
    assert figure.value == pytest.approx(38.05)
    assert figure == percentile("x", values, 95)


def test_hook_figures_have_the_agreed_names() -> None:
    """The five figures of `bench hook`; the ratio is what stands around the model, in units of the model."""
    figures = {figure.name: figure.value for figure in hook_figures(Timings([150.0] * 5, [9.0] * 5, [100.0] * 5))}

    assert figures == {
        "hook.cold_p50_ms": 150.0,
        "hook.cold_p95_ms": 150.0,
        "hook.warm_p95_ms": 9.0,
        "hook.model_p50_ms": 100.0,
        "hook.around_model_ratio": 0.5,
    }
