#!/bin/sh
# Runs every test and closes with "N passed, N failed, N skipped".
# usage: tests/run.sh BUILD_FOLDER [PATTERN]     PATTERN: only tests whose path matches this grep -E pattern
# A test is an executable that prints TAP ("ok 1 - name", "not ok 2 - name",
# "ok 3 - name # SKIP reason"): cmocka programs under BUILD/tests/unit, fuzz
# targets that replay their corpus, and scripts tests/*/*.test.
set -u
O=$1
pattern=${2:-.}
cd "$(dirname "$0")/.." || exit 1
case $O in /*) ;; *) O=$PWD/$O ;; esac
logs=$O/test-logs
rm -rf "$logs"
mkdir -p "$logs"
export MESHTOP_BUILD="$O" MESHTOP="$O/meshtop" LC_ALL=C.UTF-8 TZ=UTC
export CMOCKA_MESSAGE_OUTPUT=TAP

list() {
	find "$O/tests/unit" "$O/tests/fuzz" -type f -perm -u+x ! -name '*.o' 2>/dev/null | LC_ALL=C sort
	find tests -name '*.test' -type f | LC_ALL=C sort
}

# One test: its log, and a line when it went wrong without saying so.
cat >"$logs/one" <<'EOT'
t=$1 logs=$2
name=$(echo "$t" | sed "s#^$MESHTOP_BUILD/##; s#/#_#g")
corpus=tests/fuzz/corpus/$(basename "$t" | sed 's/^fuzz_//')
case $t in */fuzz/fuzz_*) set -- "$t" "$corpus" ;; *) set -- "$t" ;; esac
timeout -k 5 ${TEST_TIMEOUT:-600} "$@" >"$logs/$name.log" 2>&1 </dev/null
rc=$?
if [ $rc = 124 ]; then
	echo "not ok 0 - $name took too long" >>"$logs/$name.log"
elif [ $rc != 0 ] && ! grep -q '^not ok' "$logs/$name.log"; then
	echo "not ok 0 - $name ended with $rc" >>"$logs/$name.log"
elif ! grep -qE '^(ok|not ok) ' "$logs/$name.log"; then
	echo "not ok 0 - $name ran no test" >>"$logs/$name.log"
fi
p=$(grep -cE '^ok ' "$logs/$name.log")
f=$(grep -cE '^not ok ' "$logs/$name.log")
echo "$([ "$f" = 0 ] && echo ok || echo FAILED) $name ($p)"
if [ "$f" != 0 ]; then
	grep -vE '^ok ' "$logs/$name.log" | tail -40 | sed 's/^/    /'
fi
EOT

list | grep -E "$pattern" | xargs -P "${TEST_JOBS:-$(nproc)}" -I{} sh "$logs/one" {} "$logs"

cat "$logs"/*.log >"$logs/all" 2>/dev/null
skipped=$(grep -cE '^ok .*# SKIP' "$logs/all")
passed=$(($(grep -cE '^ok ' "$logs/all") - skipped))
failed=$(grep -cE '^not ok ' "$logs/all")
grep -E '^ok .*# SKIP' "$logs/all" | sed 's/^ok [0-9]* - /SKIPPED /'
# Only what tests/skips.txt names may be skipped.
grep -E '^ok .*# SKIP' "$logs/all" | sed 's/^ok [0-9]* - //; s/ # SKIP.*//' >"$logs/skipped"
while IFS= read -r s; do
	if ! grep -vE '^(#|$)' tests/skips.txt | cut -d'|' -f1 | sed 's/ *$//' | grep -qxF "$s"; then
		echo "not in tests/skips.txt, so it may not be skipped: $s"
		failed=$((failed + 1))
	fi
done <"$logs/skipped"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
