#!/bin/bash
# A gateway with demo accounts and a city beside it. Both end together: at Ctrl+C, or when either does.
# Arguments go to the city; ADDR, MEDIA and DATA say where the gateway is.
set -u
addr=${ADDR:-127.0.0.1:8080}
data=${DATA:-./data}
bin=$(dirname "$0")/../bin
more=()
command -v ffmpeg >/dev/null || more=(--cameras 0)

"$bin/jedel" serve --demo --config "$(dirname "$0")/../configs/demo.yaml" --addr "$addr" ${MEDIA:+--media "$MEDIA"} --data "$data" &
gateway=$!
city=
# end asks both to end, the city first, and waits for them.
end() {
	trap '' INT TERM
	[ -z "$city" ] || { kill -INT "$city" 2>/dev/null; wait "$city"; }
	kill -TERM "$gateway" 2>/dev/null
	wait "$gateway"
	exit "${1:-0}"
}
trap 'end 0' INT TERM

for _ in $(seq 100); do
	kill -0 "$gateway" 2>/dev/null || { wait "$gateway"; exit 1; }
	(exec 3<>"/dev/tcp/${addr%:*}/${addr##*:}") 2>/dev/null && break
	sleep 0.2
done
"$bin/callbot" centre "http://$addr" "${more[@]}" "$@" &
city=$!
wait -n "$gateway" "$city"
end $?
