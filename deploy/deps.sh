#!/usr/bin/env bash
# Installs what the tests need from the system, or says exactly what to install.
set -euo pipefail
declare -A need=([chromium]=chromium [ffmpeg]=ffmpeg [ffprobe]=ffmpeg [redis-server]=redis-server [espeak-ng]=espeak-ng)
missing=()
for cmd in "${!need[@]}"; do
	command -v "$cmd" >/dev/null || missing+=("${need[$cmd]}")
done
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
python3c=/usr/bin/python3
[ -x "$python3c" ] && "$python3c" -c 'import aiortc, websockets, cryptography' 2>/dev/null || missing+=(python3-aiortc python3-websockets python3-cryptography)
command -v node >/dev/null || missing+=(nodejs npm)
[ -e /usr/share/doc/fonts-dejavu-core ] || compgen -G '/usr/share/fonts/truetype/dejavu/*' >/dev/null || missing+=(fonts-dejavu-core)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# Debian would start the servers at once; the tests start their own.
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
	echo "The tests need these Debian packages: ${missing[*]}"
	echo "Install them:  sudo apt-get install ${missing[*]}"
	exit 1
fi
