#!/bin/sh
# A whole mesh: up with the example, create to Ready, 5,000 products.
# usage: mesh.sh BUILD   (called by run.sh)
set -u
O=${1:?usage: mesh.sh BUILD}
T=$(mktemp -d) || exit 1
export XDG_STATE_HOME="$T"
mt() { "$O/meshtop" "$@" --profile bench; }
trap 'mt down --force >/dev/null 2>&1; rm -rf "$T"' EXIT
now() { date +%s%N; }
say() { # what value budget unit: OK when value <= budget
	awk -v w="$1" -v v="$2" -v b="$3" -v u="$4" 'BEGIN { printf "%s  %-52s %10.1f %-4s (budget %s)\n", (v <= b) ? "OK  " : "MISS", w, v, u, b }'
}

t0=$(now)
mt up --engine sandbox --examples corner-shop >/dev/null 2>&1 || { echo "MISS  up failed"; exit 0; }
say "up --engine sandbox with corner-shop, to all Ready" $((($(now) - t0) / 1000000)) 2000 ms
t0=$(now)
mt up >/dev/null 2>&1
say "up again on a healthy mesh" $((($(now) - t0) / 1000000)) 2000 ms

K="$T/meshtop/bench/kubeconfig"
out=$("$O/tests/tools/meshload" "$K" --one 50)
say "create -> Ready seen in a watch, median" "$(echo "$out" | awk '{print $3}')" 50 ms
say "create -> Ready seen in a watch, worst of 50" "$(echo "$out" | awk '{print $5}')" 50 ms

out=$("$O/tests/tools/genmesh" 200 25 | "$O/tests/tools/meshload" "$K")
say "5,000 products composed and Ready" "$(echo "$out" | awk '/^ready/ {print $2}')" 30 s
echo "      $(echo "$out" | tr '\n' ' ')"
