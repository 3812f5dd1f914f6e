#!/usr/bin/env bash
# Installs what the tests need from the system, or says exactly what to install.
set -euo pipefail
declare -A need=([chromium]=chromium [ffmpeg]=ffmpeg [ffprobe]=ffmpeg [redis-server]=redis-server [espeak-ng]=espeak-ng [firefox-esr]=firefox-esr [ip]=iproute2)
missing=()
for cmd in "${!need[@]}"; do
	command -v "$cmd" >/dev/null || missing+=("${need[$cmd]}")
done
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
python3c=/usr/bin/python3
[ -x "$python3c" ] && "$python3c" -c 'import aiortc, websockets, cryptography, numpy, scipy' 2>/dev/null || missing+=(python3-aiortc python3-websockets python3-cryptography python3-numpy python3-scipy)
# GStreamer's webrtcbin with what it needs to speak Opus, VP8, ICE and SRTP.
[ -x "$python3c" ] && "$python3c" -c 'import gi; gi.require_version("Gst", "1.0"); gi.require_version("GstWebRTC", "1.0"); gi.require_version("GstSdp", "1.0")
from gi.repository import Gst; Gst.init(None); assert all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesink", "opusenc", "vp8enc")))' 2>/dev/null ||
	missing+=(python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice)
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
