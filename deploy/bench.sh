#!/bin/bash
# bench.sh: calls through a real gateway by the public protocol; prints the figures of docs/OPERATIONS.md.
# The gateway has one core, the callers and operators the others. Everything is on loopback and ends with the script.
set -euo pipefail
cd "$(dirname "$0")/.."
calls=${CALLS:-30} talk=${TALK:-20s}
dir=$(mktemp -d)
gateway=
finish() {
	if [ -n "$gateway" ]; then kill "$gateway" 2>/dev/null || true; wait "$gateway" 2>/dev/null || true; fi
	rm -rf "$dir"
}
trap finish EXIT
cores=$(nproc)
first=() rest=()
if command -v taskset >/dev/null && [ "$cores" -gt 1 ]; then
	first=(taskset -c 0)
	rest=(taskset -c "1-$((cores - 1))")
fi
mkdir "$dir/data"
for n in $(seq "$calls"); do
	echo "bench$n bench-$n-password" >>"$dir/staff"
	echo "bench-$n-password" | ./bin/jedel staff --store "sqlite:$dir/data/jedel.db" add "bench$n" --name "Bench $n" --role operator >/dev/null
done
port=$((20000 + RANDOM % 20000))
GOMAXPROCS=1 "${first[@]}" ./bin/jedel serve --demo --addr "127.0.0.1:$port" --media "127.0.0.1:$((port + 1))" --data "$dir/data" >"$dir/log" 2>&1 &
gateway=$!
for _ in $(seq 100); do
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
	kill -0 "$gateway" 2>/dev/null || { cat "$dir/log"; exit 1; }
	sleep 0.1
done
load=("${rest[@]}" ./bin/callbot load "http://127.0.0.1:$port" --staff "$dir/staff" --calls "$calls" --every 250ms --talk "$talk" --metrics --together)
echo "== $calls calls, sound and pictures of the caller, sound of the operator, recorded; the gateway on one core"
"${load[@]}" --video || true
echo "== $calls calls, sound only, recorded"
"${load[@]}" || true
echo "== recorded before the answer"
for a in "$dir"/data/archive/calls/*/*/*/*/; do
	./bin/jedel evidence verify --json "$a" || true
done | node -e '
const all = require("fs").readFileSync(0, "utf8").split(/^}$/m).filter((s) => s.trim()).map((s) => JSON.parse(s + "}"));
const reports = all.filter((r) => r.sealed);
const ahead = reports.map((r) => Date.parse(r.manifest.answered) - Date.parse(r.manifest.opened) - Math.min(...r.manifest.streams.filter((s) => s.role === "caller" && s.packets).map((s) => s.first_ms)));
const bad = all.filter((r) => r.exit & ~2).length;
const lost = reports.flatMap((r) => r.manifest.streams).reduce((n, s) => n + s.lost, 0), packets = reports.flatMap((r) => r.manifest.streams).reduce((n, s) => n + s.packets, 0);
console.log(`${all.length} archives, ${reports.length} sealed: the first packet was recorded ${Math.min(...ahead)} to ${Math.max(...ahead)} ms before the answer; ${packets} packets in them, ${lost} lost; ${bad} archives do not verify`);
'
