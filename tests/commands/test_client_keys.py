from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cds_hooks.cli import app


def test_what_to_register_is_printed_without_the_private_half(tmp_path: Path) -> None:
    """The output is the public key set of all keys, and holds none of their secrets."""
    path = str(tmp_path / "keys.json")
    for algorithm in ("ES384", "RS384"):
        answer = CliRunner().invoke(app, ["client-keys", path, "--add", algorithm])
    keys = orjson.loads(answer.output)["keys"]

    assert [key["alg"] for key in keys] == ["ES384", "RS384"]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set().union(*keys)
    assert CliRunner().invoke(app, ["client-keys", path]).output == answer.output


@pytest.mark.parametrize("content", [None, "x", "{}"])
def test_file_without_keys_is_told(tmp_path: Path, content: str | None) -> None:
    """A file that is not there, or holds no key, is an error with a sentence."""
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
    answer = CliRunner().invoke(app, ["client-keys", str(path)])

    assert answer.exit_code == 1
    assert "file of keys" in answer.output
