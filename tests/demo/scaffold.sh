#!/bin/bash
# deploy/new in a copy of the tree: one of each kind, built, its unit test run, and listed by the program it became part of.
#
# usage: scaffold.sh SOURCE_DIR
set -euo pipefail
root=$1
copy=$(mktemp -d "${TMPDIR:-/tmp}/gapscope-scaffold.XXXXXX")
trap 'rm -rf "$copy"' EXIT

cd "$root"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$copy"
for kind in detector protocol exporter; do
	"$copy/deploy/new" "$kind" "sample_$kind"
done
"$copy/deploy/new" hook fdatasync WRITE data

# What is there already, or cannot be, is refused and leaves the tree alone.
before=$(cd "$copy" && find . -type f -print0 | sort -z | xargs -0 cksum | cksum)
for words in "detector sample_detector" "hook fdatasync WRITE data" "hook fsync NOTHING data" "detector Bad-Name" "thing x" ""; do
	# shellcheck disable=SC2086
	if "$copy/deploy/new" $words 2>/dev/null; then
		echo "FAILED deploy/new $words was not refused"
		exit 1
	fi
done
[ "$before" = "$(cd "$copy" && find . -type f -print0 | sort -z | xargs -0 cksum | cksum)" ]

units="unit_detectors_sample_detector unit_protocols_sample_protocol unit_exporters_sample_exporter"
cmake -S "$copy" -B "$copy/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug >/dev/null
# shellcheck disable=SC2086
nice ninja -C "$copy/build" gapscope gapscope_shim $units >"$copy/build.log" 2>&1 || {
	grep -E "error|FAILED" "$copy/build.log" | head -n 20
	exit 1
}
ctest --test-dir "$copy/build" -R '\.sample_(detector|protocol|exporter)$' --output-on-failure --no-tests=error | tail -n 12
list=$("$copy/build/gapscope" list)
for name in sample_detector sample_detector.connection.reset sample_protocol sample_exporter fdatasync; do
	grep -q -- " $name" <<<"$list" || {
		echo "FAILED $name is not listed"
		exit 1
	}
done
# The new hook is called, and the service gets its answer.
cat >"$copy/sync.c" <<'EOF'
#include <unistd.h>
int main(void)
{
	int fd[2];
	return pipe(fd) < 0 || fdatasync(fd[0]) == 0;
}
EOF
cc -o "$copy/sync" "$copy/sync.c"
"$copy/build/gapscope" run --quiet --report "$copy/r.json" -- "$copy/sync"
exports=$(nm -D "$copy/build/preload/libgapscope.so") # whole, not by a pipe: grep -q would end it early
grep -q ' T fdatasync$' <<<"$exports"
echo "ok    one of each kind was scaffolded, built, tested and listed"
