#!/bin/sh
# 5,000 and 50,000 objects on the sandbox: the cache's list beside kubectl's, in the same run, and
# what the server needs. (ConfigMaps: nothing is composed of them, so the lists are all there is to
# wait for.) With MESHTOP_TEST_KUBECONFIG the same list of 5,000 from that API server.
# usage: kube.sh BUILD   (called by run.sh)
set -u
O=${1:?usage: kube.sh BUILD}
T=$(mktemp -d) || exit 1
export XDG_STATE_HOME="$T"
mt() { "$O/meshtop" "$@" --profile bench; }
trap 'mt down --force >/dev/null 2>&1; rm -rf "$T"' EXIT
say() { # what value budget unit: OK when value <= budget
	awk -v w="$1" -v v="$2" -v b="$3" -v u="$4" 'BEGIN { printf "%s  %-52s %10.1f %-4s (budget %s)\n", (v <= b) ? "OK  " : "MISS", w, v, u, b }'
}
mt up --engine sandbox >/dev/null 2>&1 || { echo "MISS  up failed"; exit 0; }
K="$T/meshtop/bench/kubeconfig"
pid=$(mt sandbox status -o json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
now() { date +%s%N; }
# Processor time, which other programs do not spoil: of the server, and of what this script ran so far; in ms.
server_ms() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hz }' "/proc/$pid/stat"; }
# (Of the script: `times >"$T/times"` first, in this shell, not in a $(...).)
ours_ms() {
	awk -F '[ms ]+' 'NR == 2 { print ($1 * 60 + $2 + $3 * 60 + $4) * 1000 }' "$T/times"
}
# ConfigMaps of 2.2 KB, from number $2 to $3, in namespace $1
maps() {
	awk -v ns="$1" -v from="$2" -v to="$3" 'BEGIN {
		for (x = "x"; length(x) < 2200;) x = x x
		for (i = from; i < to; i++)
			printf "---\n{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c%05d\",\"namespace\":\"%s\"},\"data\":{\"a\":\"%s\"}}\n", i, ns, substr(x, 1, 2200)
	}'
}
# The same through one client, 5,000 at a time: a file of manifests has a cap.
load() { # KUBECONFIG NAMESPACE FROM TO
	at=$3
	while [ "$at" -lt "$4" ]; do
		next=$((at + 5000 < $4 ? at + 5000 : $4))
		maps "$2" "$at" "$next" | "$O/tests/tools/meshload" "$1" --plain >/dev/null || return 1
		at=$next
	done
}
# The best of three: the machine has other things to do.
best() { sort -n | head -1; }
list() { "$O/tests/bench/kube_cache" "$1" - v1 configmaps; }
ours() { for _ in 1 2 3; do list "$1" | awk '{print $2}'; done | best; }
theirs() {
	for _ in 1 2 3; do
		t0=$(now)
		"$kubectl" --kubeconfig "$1" get configmaps -A >"$T/out" 2>/dev/null
		echo $((($(now) - t0) / 1000000))
	done | best
}
kubectl=$(command -v kubectl)
have=0
for n in 5000 50000; do
	before=$(resident) used=$(server_ms)
	t0=$(now)
	load "$K" default "$have" "$n" || { echo "MISS  no $n objects"; exit 0; }
	say "$((n - have)) objects created by one client" $((($(now) - t0) / 1000000)) $(((n - have) / 2)) ms
	say "  processor time of the server for 1,000 of them" "$(awk -v a="$used" -v b="$(server_ms)" -v n=$((n - have)) 'BEGIN { print (b - a) * 1000 / n }')" 120 ms
	say "  memory of 1,000 of them in the server" "$(awk -v a="$before" -v b="$(resident)" -v n=$((n - have)) 'BEGIN { print (b - a) * 1000 / n }')" 8000 KiB
	have=$n
	mine=$(ours "$K")
	used=$(server_ms)
	list "$K" | awk '{print $4, $6, $8}' >"$T/size"
	read -r objects mib cpu <"$T/size"
	served=$(awk -v a="$used" -v b="$(server_ms)" 'BEGIN { print b - a }')
	say "$objects objects listed by the cache from the sandbox" "$mine" $((n * 6 / 100)) ms
	say "  processor time of the cache" "$cpu" $((20 + n * 3 / 100)) ms
	say "  processor time of the server" "$served" $((20 + n * 3 / 100)) ms
	say "  whole process, peak memory" "$mib" "$((20 + n * 6 / 1000))" MiB
	say "  the server then" "$(($(resident) / 1024))" 120 MiB
	[ -n "$kubectl" ] || continue
	other=$(theirs "$K")
	echo "      kubectl get configmaps -A: $other ms, $(($(wc -l <"$T/out") - 1)) rows"
	say "  the cache's time, of kubectl's" "$(awk -v a="$mine" -v b="$other" 'BEGIN { print a * 100 / b }')" 100 %
	[ "$n" = 5000 ] || continue
	[ -n "${MESHTOP_TEST_KUBECONFIG:-}" ] || continue
	# The peer: a kube-apiserver with the same objects.
	R=$MESHTOP_TEST_KUBECONFIG ns=meshtop-bench
	"$kubectl" --kubeconfig "$R" create namespace $ns >/dev/null 2>&1
	t0=$(now)
	load "$R" $ns 0 5000
	echo "      kube-apiserver: 5000 objects created in $((($(now) - t0) / 1000000)) ms"
	real=$(ours "$R") real_kubectl=$(theirs "$R")
	"$kubectl" --kubeconfig "$R" delete namespace $ns --wait=false >/dev/null 2>&1
	echo "      kube-apiserver: listed by the cache in $real ms, by kubectl in $real_kubectl ms"
	say "  the sandbox's time, of kube-apiserver's (cache)" "$(awk -v a="$mine" -v b="$real" 'BEGIN { print a * 100 / b }')" 100 %
	say "  the sandbox's time, of kube-apiserver's (kubectl)" "$(awk -v a="$other" -v b="$real_kubectl" 'BEGIN { print a * 100 / b }')" 100 %
done

# From exec to the answer of one small GET, connection and TLS included.
small() { # COMMAND...: the best of seven, in ms
	for _ in 1 2 3 4 5 6 7; do
		t0=$(date +%s%N)
		"$@" >/dev/null 2>&1
		echo "$t0 $(date +%s%N)" | awk '{ printf "%.1f\n", ($2 - $1) / 1000000 }'
	done | best
}
ours=$(small "$O/tests/tools/kube" --kubeconfig "$K" get /version)
say "one GET, connection and TLS set up" "$ours" 40 ms
times >"$T/times"
used=$(ours_ms)
for _ in 1 2 3 4 5 6 7; do "$O/tests/tools/kube" --kubeconfig "$K" get /version >/dev/null 2>&1; done
times >"$T/times"
say "  processor time of the client" "$(awk -v a="$used" -v b="$(ours_ms)" 'BEGIN { print (b - a) / 7 }')" 40 ms
if kubectl=$(command -v kubectl); then
	theirs=$(small "$kubectl" --kubeconfig "$K" get --raw /version)
	echo "      kubectl get --raw /version: $theirs ms"
	say "  our time, of kubectl's" "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { print a * 100 / b }')" 50 %
fi
# The same on a real API server, where there is one, and what many watches take.
if [ -n "${MESHTOP_TEST_KUBECONFIG:-}" ]; then
	say "a real API server: one GET" "$(small "$O/tests/tools/kube" --kubeconfig "$MESHTOP_TEST_KUBECONFIG" get /version)" 40 ms
	echo "      $("$O/tests/tools/kube_streams" "$MESHTOP_TEST_KUBECONFIG" 250)"
fi
