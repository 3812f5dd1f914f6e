#!/usr/bin/env bash
# Every Go test. The packages run beside each other on machines that are shared; one that fails is run once more, alone,
# and both outcomes stand in the output: passing the second time is a reason to look at the test, failing
# twice is a failure. The slow ones mostly wait (of three minutes of internal/app half a minute is work): four packages, and four
# tests of one, however few the processors. Whoever runs it has run go vet.
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test -vet=off -p 4 -parallel 4 -timeout 10m "$@" ./... 2>&1 | tee "$out"
[ "${PIPESTATUS[0]}" = 0 ] && exit 0
failed=$(sed -nE 's/^FAIL[[:space:]]+(jedel[^[:space:]]*).*/\1/p' "$out" | sort -u)
[ -n "$failed" ] || exit 1
echo "== FAILED ONCE, run again alone:" $failed
exec go test -vet=off -count=1 -p 1 -timeout 10m "$@" $failed
