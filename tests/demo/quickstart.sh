#!/bin/bash
# deploy/quickstart, twice: the promised findings are printed, each with call site, evidence and remedy, and nothing is left behind.
#
# usage: quickstart.sh SOURCE_DIR
set -euo pipefail
root=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for time in first second; do
	start=$SECONDS
	"$root/deploy/quickstart" >"$out"
	echo "ok    the $time run took $((SECONDS - start)) s"
	for rule in deadline.response.missing retry.unbounded retry.no_backoff data.log.credit_card data.log.email; do
		grep -A 14 " $rule " "$out" >"$out.one" || {
			echo "FAILED $rule is not in the report"
			exit 1
		}
		for part in where evidence remedy; do
			grep -q "^ *$part " "$out.one" || {
				echo "FAILED $rule has no $part"
				exit 1
			}
		done
	done
	rm -f "$out.one"
	if pgrep -f "$root/build/quickstart/(gapscope|demo)" >/dev/null; then
		echo "FAILED something is still running"
		exit 1
	fi
done
# Outside the build folder, the tree is as it was.
if git -C "$root" status --porcelain 2>/dev/null | grep -v " tests/" | grep quickstart; then exit 1; fi
echo "ok    deploy/quickstart"
