#!/bin/sh
# Fuzzes for SECS seconds in all, shared equally by the targets; a finding
# fails, and its input is kept.
# usage: tests/fuzz/run.sh BUILD_FOLDER SECS     FUZZ=PATTERN: only targets whose name matches
# One line a target: runs, inputs that reached something new, and the share of
# lines reached in the files its "covers:" comment names.
set -u
O=$1
cd "$(dirname "$0")/../.." || exit 1
case $O in /*) ;; *) O=$PWD/$O ;; esac
jobs=${TEST_JOBS:-$(nproc)}
targets=$(find "$O/tests/fuzz" -name 'fuzz_*' -type f -perm -u+x ! -name '*.o' | grep -E "${FUZZ:-.}" | LC_ALL=C sort)
secs=$(($2 * jobs / $(echo "$targets" | wc -l)))
[ "$secs" -gt 0 ] || secs=1
echo "$(echo "$targets" | wc -l) targets, $secs s each, $jobs at a time"
export O secs

cat >"$O/fuzz-one" <<'EOT'
t=$1
name=$(basename "$t" | sed 's/^fuzz_//')
w=$O/fuzz/$name
mkdir -p "$w/new" "$w/findings"
LLVM_PROFILE_FILE=$w/raw "$t" -max_total_time="$secs" -timeout=10 -rss_limit_mb=2048 \
	-print_final_stats=1 -artifact_prefix="$w/findings/" "$w/new" "tests/fuzz/corpus/$name" >"$w/log" 2>&1
rc=$?
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$w/log")
new=$(sed -n 's/^stat::new_units_added: *//p' "$w/log")
files=$(sed -n 's/.*covers: *//p' "tests/fuzz/fuzz_$name.c" | sed 's#\*/##')
lines=?
if [ -n "$files" ] && llvm-profdata merge -sparse "$w/raw" -o "$w/data" 2>>"$w/log"; then
	lines=$(llvm-cov export -summary-only "$t" -instr-profile="$w/data" $files 2>>"$w/log" |
		sed 's/.*"totals"//; s/.*"lines":{//; s/}.*//; s/.*"percent":\([0-9.]*\).*/\1/' | cut -c1-5)
fi
printf '%-7s %-12s %10s runs %6s new %6s%% of lines\n' "$([ $rc = 0 ] && echo ok || echo FINDING)" \
	"$name" "${runs:-0}" "${new:-0}" "$lines"
if [ $rc != 0 ]; then
	grep -aE 'ERROR|SUMMARY|runtime error|Test unit written' "$w/log" | head -8 | sed 's/^/    /'
	exit 1
fi
EOT
echo "$targets" | xargs -P "$jobs" -n 1 sh "$O/fuzz-one" || { echo "fuzz: findings under $O/fuzz/*/findings" >&2; exit 1; }
