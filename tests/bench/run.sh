#!/bin/sh
# Runs every benchmark and closes with "N OK, N MISS". A miss is a figure, not a failure: the exit status is 0.
# usage: tests/bench/run.sh BUILD_FOLDER [PATTERN]     PATTERN: only benchmarks whose name matches this grep -E pattern
# A benchmark is a program of tests/bench or a script there (called with the build
# folder); it prints lines "OK|MISS  what  value unit  (budget ...)". They run one after
# the other, since they share the cores.
set -u
O=$1
pattern=${2:-.}
cd "$(dirname "$0")/../.." || exit 1
case $O in /*) ;; *) O=$PWD/$O ;; esac
out=$O/bench.log
export LC_ALL=C.UTF-8 TZ=UTC
: >"$out"

run() { # name command...
	name=$1
	shift
	echo "-- $name"
	timeout -k 5 "${BENCH_TIMEOUT:-300}" "$@" 2>&1 </dev/null
	rc=$?
	[ $rc = 0 ] || echo "MISS  $name ended with $rc"
}

{
	for src in tests/bench/*.c tests/bench/*.sh; do
		name=$(basename "$src")
		[ "$name" = run.sh ] && continue
		echo "$name" | grep -qE "$pattern" || continue
		case $src in
		*.sh) run "$name" "$src" "$O" ;;
		*) run "$name" "$O/${src%.c}" ;;
		esac
	done
} | tee "$out"
echo "$(grep -c '^OK' "$out") OK, $(grep -c '^MISS' "$out") MISS"
