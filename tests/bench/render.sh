#!/bin/sh
# One render, whole process, beside the crossplane CLI with functions that already run: the ratio in the same run.
# usage: render.sh BUILD   (called by run.sh)
# MESHTOP_CRANK: the crossplane CLI (2.0 to 2.2); MESHTOP_FUNCTIONS: a Functions file whose go-templating, auto-ready and
# extra-resources run (runtime Development). Without them our own figure is all there is.
set -u
O=${1:?usage: render.sh BUILD}
cases=$PWD/tests/unit/compose/render
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
say() { # what value budget unit: OK when value <= budget
	awk -v w="$1" -v v="$2" -v b="$3" -v u="$4" 'BEGIN { printf "%s  %-52s %10.2f %-4s (budget %s)\n", (v <= b) ? "OK  " : "MISS", w, v, u, b }'
}
awk -v d="$T" '/^== args /{next} /^== /{f = d "/" $2; printf "" >f; next} {print >f}' "$cases/vector-04-extra-resources-then-template.case"
cp "$cases/functions.yaml" "$T/"
cd "$T" || exit 1

# Milliseconds of one call, the best of $1 rounds of $2 calls.
best() {
	rounds=$1 calls=$2
	shift 2
	for _ in $(seq "$rounds"); do
		t0=$(date +%s%N)
		for _ in $(seq "$calls"); do "$@" >out 2>err || { echo "MISS  $1 failed: $(head -1 err)" >&2; return 1; }; done
		echo "$((($(date +%s%N) - t0) / calls))"
	done | sort -n | head -1 | awk '{ printf "%.3f\n", $1 / 1e6 }'
}
ours=$(best 5 20 "$O/meshtop" render xr.yaml composition.yaml functions.yaml --include-context -e extra.yaml) || exit 0
cp out ours
say "render of two steps, whole process" "$ours" 30 ms
if [ -x "${MESHTOP_CRANK:-}" ] && [ -f "${MESHTOP_FUNCTIONS:-}" ]; then
	theirs=$(best 3 5 "$MESHTOP_CRANK" render xr.yaml composition.yaml "$MESHTOP_FUNCTIONS" --include-context -e extra.yaml) || exit 0
	cmp -s out ours || echo "MISS  the outputs differ"
	echo "      crossplane render with running functions: $theirs ms"
	say "  our time, of the crossplane CLI's" "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { print a * 100 / b }')" 50 %
else
	echo "      no ratio: MESHTOP_CRANK and MESHTOP_FUNCTIONS name no crossplane CLI with running functions"
fi
