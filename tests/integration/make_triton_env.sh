#!/usr/bin/env bash
# Make .venv-triton at the repository root: the environment that runs Triton Inference Server in the integration tests.
#
#     PYTHON=python3.11 tests/integration/make_triton_env.sh
#
# It is a venv of its own because Triton's Python stub breaks under NumPy 2, which the application uses.
# Run again, it does nothing until the pins below change.
set -euo pipefail

pins=("nvidia-pytriton==0.7.0" "numpy==1.26.4" "onnxruntime==1.23.2")

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv="$root/.venv-triton"
stamp="$venv/made-from"
wanted="${pins[*]}"

if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]]; then
    exit 0
fi
"${PYTHON:-python3}" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${pins[@]}"
echo "$wanted" > "$stamp"
echo "made $venv: $wanted"
