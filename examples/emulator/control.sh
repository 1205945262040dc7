#!/usr/bin/env bash
# A test in bash with the emulator: does the program under test survive a registry that is down once?
#
#   acr-emulator --control-port 5002 &
#   REGISTRY=http://127.0.0.1:5001 CONTROL=http://127.0.0.1:5002 bash control.sh
set -euo pipefail

registry=${REGISTRY:-http://127.0.0.1:5001}
control=${CONTROL:-http://127.0.0.1:5002}
login=${REGISTRY_USERNAME:-admin}:${REGISTRY_PASSWORD:-emulator}

ask() { curl --fail-with-body --silent --show-error --header "Content-Type: application/json" "$@"; }

# All tests begin with the same registry.
ask --request POST "$control/reset"
ask --data '{"repository": "library/alpine", "tags": ["3.20"]}' "$control/seed" > /dev/null
ask --data '{
  "method": "GET",
  "path": "/v2/library/alpine/manifests/",
  "consequence": {"_tag": "Answer", "status": 503, "headers": {"Retry-After": "0"}}
}' "$control/faults" > /dev/null

# The program under test. This one is curl, which asks again after a 503.
curl --fail --silent --retry 2 --user "$login" --output /dev/null "$registry/v2/library/alpine/manifests/3.20"

# What the registry was asked, and what it answered.
statuses=$(ask "$control/journal" | grep --only-matching '"status":[0-9]*' | cut --delimiter=: --fields=2 | paste --serial --delimiters=" ")
if [ "$statuses" != "503 200" ]; then
  echo "expected 503 and 200, not $statuses" >&2
  exit 1
fi
ask --request POST "$control/reset"
echo "curl asked again after a 503"
