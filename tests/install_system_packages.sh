#!/usr/bin/env bash
# Install the Debian packages whose programs the tests start: Chromium, PostgreSQL, Orthanc. Does nothing where they are
# there already, and only says so where they cannot be installed: their tests are then skipped with a reason.
set -euo pipefail

missing=()
command -v chromium > /dev/null || missing+=(chromium)
command -v Orthanc > /dev/null || missing+=(orthanc)
[[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ]] || missing+=(orthanc-dicomweb)
compgen -G "/usr/lib/postgresql/*/bin/postgres" > /dev/null || missing+=(postgresql)

if (( ${#missing[@]} == 0 )); then
    exit 0
fi
if [[ $(id -u) -ne 0 ]] || ! command -v apt-get > /dev/null; then
    echo "not installed, so their tests are skipped: ${missing[*]} (as root on Debian they would be installed now)"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# The packages would start services of their own; the tests start private ones. A policy that is there already is kept.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
if ! (apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}") > /tmp/mllm-cds-packages.log 2>&1; then
    echo "could not install ${missing[*]}, so their tests are skipped; see /tmp/mllm-cds-packages.log"
fi
