#!/usr/bin/env bash
# Every Go test. The packages run beside each other on machines that are shared; a test that fails is run once more, alone,
# and both outcomes stand in the output: passing the second time is a reason to look at the test, failing
# twice is a failure. The slow ones mostly wait (of three minutes of internal/app half a minute is work): four packages, and four
# tests of one, however few the processors. Whoever runs it has run go vet.
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test -vet=off -p 4 -parallel 4 -timeout 10m "$@" ./... 2>&1 | tee "$out"
[ "${PIPESTATUS[0]}" = 0 ] && exit 0
# A package that broke off has tests that were not run: it is run whole.
failed=$(awk '
	/^--- FAIL: / { tests = tests (tests == "" ? "" : "|") $3 }
	/^(panic|fatal error|signal): / { broken = 1 }
	/^FAIL\tjedel/ { print $2, (broken || tests == "" ? "." : "^(" tests ")$") }
	/^(FAIL|ok  )\t/ { tests = ""; broken = 0 }' "$out")
[ -n "$failed" ] || exit 1
echo "== FAILED ONCE, run again alone:" $failed
status=0
while read -r package tests; do
	go test -vet=off -count=1 -timeout 10m "$@" -run "$tests" "$package" || status=1
done <<<"$failed"
exit $status
