#!/bin/bash
# bench-net.sh: calls over a bad link between two network namespaces of our own; needs root and /dev/net/tun.
# Prints the times of UX goals 3 and 4 and what was heard, at several links.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ] || [ ! -e /dev/net/tun ] || ! command -v ip >/dev/null; then
	echo "bench-net: skipped: it needs root, /dev/net/tun and iproute2"
	exit 0
fi
dir=$(mktemp -d)
cli=jb$$c srv=jb$$s
pids=()
finish() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null || true; done
	ip netns del "$cli" 2>/dev/null || true
	ip netns del "$srv" 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT
(cd e2e/netimpair && GOFLAGS=-mod=mod go build -o "$dir/netimpair" .)
ip netns add "$cli"; ip netns add "$srv"
ip -n "$cli" link set lo up; ip -n "$srv" link set lo up
ctl=$((20000 + RANDOM % 20000))
"$dir/netimpair" -a "$cli,tun0,10.77.1.2/24" -b "$srv,tun0,10.77.1.1/24" -ctl "127.0.0.1:$ctl" >"$dir/net.log" 2>&1 &
pids+=($!)
mkdir "$dir/data"
for n in 1 2 3 4 5; do
	echo "bench$n bench-$n-password" >>"$dir/staff"
	echo "bench-$n-password" | ./bin/jedel staff --store "sqlite:$dir/data/jedel.db" add "bench$n" --name "Bench $n" --role operator >/dev/null
done
ip netns exec "$srv" ./bin/jedel serve --demo --addr 10.77.1.1:8080 --media 10.77.1.1:8081 --data "$dir/data" >"$dir/log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do
	if ip netns exec "$srv" bash -c 'exec 3<>/dev/tcp/10.77.1.1/8080' 2>/dev/null; then break; fi
	sleep 0.1
done
set_link() { curl -sf -d "{\"up\":$1,\"down\":$1}" "http://127.0.0.1:$ctl/set" >/dev/null; }
for link in "clean:{}" "400 ms round trip:{\"delayMs\":200}" "400 ms, 5 % loss:{\"delayMs\":200,\"loss\":0.05}" "100 ms, 20 % loss:{\"delayMs\":50,\"loss\":0.2}"; do
	echo "== ${link%%:*}"
	set_link "${link#*:}"
	ip netns exec "$cli" ./bin/callbot load http://10.77.1.1:8080 --staff "$dir/staff" --calls 5 --every 1s --talk 10s --wait 60s || true
done
