#!/bin/bash
# bench.sh: fills a real gateway with calls by the public protocol and prints the table of docs/OPERATIONS.md. The
# gateway has one core, the generator (callbot media) another; everything is on loopback and ends with the script.
#   RUNS=5             runs of each row, of which the median is printed
#   TALK=15s           how long each is measured
#   STEPS="60 120 ..." calls tried for the most that one core carries; empty: none
#   PROFILES=folder    keeps where the gateway's time and memory went, as text
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-5} talk=${TALK:-15s} steps=${STEPS-60 120 180 250 300} profiles=${PROFILES:-}
dir=$(mktemp -d)
gateway=
stop() {
	if [ -n "$gateway" ]; then kill "$gateway" 2>/dev/null || true; wait "$gateway" 2>/dev/null || true; fi
	gateway=
}
trap 'stop; rm -rf "$dir"' EXIT
cores=$(nproc)
first=() second=()
if command -v taskset >/dev/null && [ "$cores" -gt 1 ]; then
	first=(taskset -c 0)
	second=(taskset -c 1)
fi
most=$(printf '%s\n' 60 $steps | sort -n | tail -1)
mkdir -p "$dir/first/data"
for n in $(seq "$most"); do
	echo "bench$n bench-$n-password" >>"$dir/staff"
	echo "bench-$n-password" | ./bin/jedel staff --store "sqlite:$dir/first/data/jedel.db" add "bench$n" --name "Bench $n" --role operator >/dev/null
done
# All callers and operators are one machine with warm connections: more of both than a page's neighbours may have.
sed -E 's/^(  max_peers:) .*/\1 4000/; s/^(  idle_peers:) .*/\1 4000/; s/^(  waiting_peers:) .*/\1 2000/' configs/jedel.yaml >"$dir/jedel.yaml"

# start begins a gateway that has no calls behind it.
start() {
	rm -rf "$dir/run"
	cp -r "$dir/first" "$dir/run"
	port=$((20000 + RANDOM % 20000))
	GOMAXPROCS=1 "${first[@]}" ./bin/jedel serve --demo --config "$dir/jedel.yaml" --addr "127.0.0.1:$port" --media "127.0.0.1:$((port + 1))" --data "$dir/run/data" --profile "$dir/profiles" >"$dir/log" 2>&1 &
	gateway=$!
	for _ in $(seq 100); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then sleep 1; return; fi
		kill -0 "$gateway" 2>/dev/null || { cat "$dir/log"; exit 1; }
		sleep 0.1
	done
}

# measure ROW CALLS OPTIONS...: one run on a new gateway; its figures go to the row's file.
measure() {
	local row=$1 calls=$2 load
	shift 2
	load=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?')
	start
	local begin=()
	if [ -n "$profiles" ]; then begin=(--begin "kill -USR1 $gateway"); fi
	GOMAXPROCS=1 "${second[@]}" timeout 600 ./bin/callbot media "http://127.0.0.1:$port" --staff "$dir/staff" --calls "$calls" --talk "$talk" --json "${begin[@]}" "$@" >"$dir/one" 2>"$dir/err" || true
	stop
	if [ ! -s "$dir/one" ]; then
		echo "$row, $calls calls: no figures: $(tail -1 "$dir/err")" >&2
		return 0
	fi
	sed "s/^{/{\"load\":\"$load\",/" "$dir/one" | tee -a "$dir/$row" >>"$dir/all"
	if [ -n "$profiles" ] && [ -s "$dir/profiles/cpu-1.pprof" ]; then
		mkdir -p "$profiles"
		go tool pprof -top -nodecount=50 bin/jedel "$dir/profiles/cpu-1.pprof" 2>/dev/null >"$profiles/$row-cpu.txt"
		go tool pprof -top -cum -nodecount=50 bin/jedel "$dir/profiles/cpu-1.pprof" 2>/dev/null >"$profiles/$row-cpu-cum.txt"
		go tool pprof -top -sample_index=inuse_space -nodecount=40 bin/jedel "$dir/profiles/heap-1.pprof" 2>/dev/null >"$profiles/$row-heap.txt"
		rm -rf "$dir/profiles"
	fi
	node deploy/bench.mjs line "$row" <"$dir/one"
}

# floor measures what receiving, opening, sealing and sending the packets of 30 calls takes by itself.
floor() {
	[ -x "$dir/floor.test" ] || return 0
	local micros
	micros=$(GOMAXPROCS=1 "${first[@]}" timeout 60 "$dir/floor.test" -test.run '^$' -test.bench '^BenchmarkFloor$' -test.benchtime 1x | sed -nE 's/.*[[:space:]]([0-9.]+) us\/packet.*/\1/p')
	if [ -n "$micros" ]; then
		echo "{\"micros\":$micros}" >>"$dir/floor"
		echo "floor  $micros µs each"
	fi
}
if [ "$(uname)" = Linux ]; then go test -c -o "$dir/floor.test" ./media; fi

echo "== $cores cores, load $(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo '?'): the gateway on one, the generator on another; each run on a new gateway, recorded and encrypted"
for _ in $(seq "$runs"); do
	floor
	measure video 30
	measure audio 60 --audio
	measure cold 30 --cold --idle 1s
done
for n in $steps; do
	measure steps "$n" --every 50ms --idle 1s
	if ! node deploy/bench.mjs good <"$dir/one"; then break; fi
done
node deploy/bench.mjs table "$dir"

echo "== recorded before the answer"
start
calls=20
GOMAXPROCS=1 "${second[@]}" ./bin/callbot load "http://127.0.0.1:$port" --staff "$dir/staff" --calls "$calls" --every 250ms --talk 10s --together --video || true
for a in "$dir"/run/data/archive/calls/*/*/*/*/; do
	./bin/jedel evidence verify --json "$a" || true
done | node deploy/bench.mjs archives
