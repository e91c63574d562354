#!/bin/bash
# AT_SECURE: a set-user-id copy of the program, owned by nobody, run by root under the shim. secure.sh WATCH SHIM PROGRAM
set -euo pipefail
if [ "$(id -u)" -ne 0 ]; then
	echo "SKIP (cannot run here): only root can make a set-user-id program of another user"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$3" "$work/program"
chown nobody "$work/program"
chmod 4755 "$work/program"
"$1" --unwatched "$2" "$work/program"
