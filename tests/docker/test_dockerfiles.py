from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
OURS = [path for path in DOCKERFILES if path.name != "hapi.Dockerfile"]


def instructions(path: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", path.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def values(path: Path, instruction: str) -> list[str]:
    """Return what one kind of instruction says, in order."""
    return [value for name, value in instructions(path) if name == instruction]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_base_images_are_pinned(path: Path) -> None:
    """Every image that is built upon has a version."""
    bases = [value.split()[0] for value in values(path, "FROM")]
    bases += [match for copy in values(path, "COPY") for match in re.findall(r"--from=(\S+:\S+)", copy)]

    assert all(re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", base) for base in bases)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_container_does_not_run_as_root(path: Path) -> None:
    """The last user is a number other than 0, which Kubernetes can check."""
    assert re.fullmatch(r"[1-9]\d*", values(path, "USER")[-1])


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_image_has_a_health_check(path: Path) -> None:
    """Also without compose the runtime learns whether the container works."""
    assert len(values(path, "HEALTHCHECK")) == 1


def sources(path: Path) -> list[str]:
    """Return what is copied from the build context, build arguments filled in."""
    defaults = dict(value.split("=", 1) for value in values(path, "ARG"))
    copies = [value.split()[:-1] for value in values(path, "COPY") if not value.startswith("--from")]
    names = [name for copy in copies for name in copy]
    return [re.sub(r"\$\{(\w+)\}", lambda match: defaults[match[1]], name) for name in names]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_not_ignored(path: Path) -> None:
    """The build finds every file it copies, and its ignore file lets it through."""
    lines = path.with_name(f"{path.name}.dockerignore").read_text().splitlines()
    allowed = [line.removeprefix("!") for line in lines if line.startswith("!")]

    assert all((ROOT / source).exists() for source in sources(path))
    assert all(any(Path(source).is_relative_to(name) for name in allowed) for source in sources(path))


def test_model_runs_on_the_versions_that_the_tests_run() -> None:
    """The image and the test environment of Triton have the same NumPy and ONNX Runtime."""
    tested = (ROOT / "tests/integration/make_triton_env.sh").read_text()
    lines = (ROOT / "docker/triton/requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))

    assert f'"numpy=={pins["numpy"]}"' in tested
    assert f'"onnxruntime=={pins["onnxruntime-gpu"]}"' in tested
