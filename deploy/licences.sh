#!/usr/bin/env bash
# Writes cmd/jedel/licences.txt: every module and package in the binary with its licence text.
set -euo pipefail
cd "$(dirname "$0")/.."
out=cmd/jedel/licences.txt
{
	echo "Software and data in this program, with their licences."
	echo
	echo "Map data: Natural Earth (public domain); GeoNames settlements, CC BY 4.0 (geonames.org)."
	go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/... | sort -u |
		while read -r path version dir; do
			printf '\n==== %s %s\n\n' "$path" "$version"
			find "$dir" -maxdepth 1 -type f \( -iname "licen[sc]e*" -o -iname "copying*" \) | sort | head -2 | while read -r f; do cat "$f"; done
		done
	for pkg in $(node -p "Object.keys(require('./web/package.json').dependencies).join(' ')") @noble/ciphers @noble/curves @noble/post-quantum @scure/base; do
		[ -d "web/node_modules/$pkg" ] || continue
		printf '\n==== %s %s\n\n' "$pkg" "$(node -p "require('./web/node_modules/$pkg/package.json').version")"
		find "web/node_modules/$pkg" -maxdepth 1 -iname 'licen[sc]e*' | sort | head -1 | while read -r f; do cat "$f"; done
	done
} >"$out"
echo "$(grep -c '^====' "$out") entries in $out"
