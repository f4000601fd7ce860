#!/bin/sh
# A real Kind cluster with a real Crossplane: up, up again, memory, and the same
# by kind and kubectl alone in the same run.
# usage: kind.sh BUILD   (called by run.sh)   environment: docs/TESTING.md, "A real Kind cluster"
set -u
O=${1:?usage: kind.sh BUILD}
if [ -z "${MESHTOP_TEST_NODE_IMAGE:-}" ] || [ -z "${MESHTOP_TEST_MIRROR:-}" ]; then
	echo "--    no real Kind cluster here (docs/TESTING.md)"
	exit 0
fi
T=$(mktemp -d) || exit 1
export XDG_STATE_HOME="$T"
mt() { "$O/meshtop" "$@" --profile benchkind; }
trap 'mt down --force >/dev/null 2>&1; rm -rf "$T"' EXIT
now() { date +%s%N; }
say() { # what value budget unit: OK when value <= budget
	awk -v w="$1" -v v="$2" -v b="$3" -v u="$4" 'BEGIN { printf "%s  %-52s %10.1f %-4s (budget %s)\n", (v <= b) ? "OK  " : "MISS", w, v, u, b }'
}

# Runs a program; prints the most memory it had itself, in MiB.
measured() {
	python3 -c 'import re, subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "w"), stderr=subprocess.STDOUT)
most = 0
while p.poll() is None:
    m = re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{p.pid}/status").read())
    most = int(m.group(1)) if m else most
    time.sleep(0.1)
print(most / 1024)
sys.exit(p.returncode)' "$@"
}
words="--engine kind --no-tui --examples corner-shop --node-image $MESHTOP_TEST_NODE_IMAGE --registry-mirror $MESHTOP_TEST_MIRROR --registry-ca $MESHTOP_TEST_CA"

t0=$(now)
mib=$(measured "$T/up.out" "$O/meshtop" up $words --profile benchkind) || {
	echo "MISS  up failed"
	tail -5 "$T/up.out"
	exit 0
}
ours=$((($(now) - t0) / 1000000))
grep " in all" "$T/up.out"
t0=$(now)
mt up $words >/dev/null 2>&1
again=$((($(now) - t0) / 1000000))
mt verify >/dev/null 2>&1 || echo "MISS  verify finds something amiss"
mt down >/dev/null 2>&1

t0=$(now)
NODE_IMAGE=$MESHTOP_TEST_NODE_IMAGE MIRROR=$MESHTOP_TEST_MIRROR CA=$MESHTOP_TEST_CA CROSSPLANE=$MESHTOP_TEST_CROSSPLANE \
	tests/tools/plain_kind.sh benchplain >"$T/plain.out" 2>&1 || { echo "MISS  the plain script failed"; tail -3 "$T/plain.out"; }
plain=$(awk '$2 == "ready" { print $1 * 1000 }' "$T/plain.out")
say "up --engine kind with corner-shop, of kind + kubectl" "$(awk -v a="$ours" -v b="$plain" 'BEGIN { print 100 * a / b }')" 105 %
say "up --engine kind, to all Ready" "$ours" "$(awk -v b="$plain" 'BEGIN { print 1.05 * b }')" ms
say "memory of meshtop during up" "$mib" 25 MiB
say "up again on a healthy Kind mesh" "$again" 3000 ms
