# Sourced by every tests/*/*.test: TAP, a home of its own, waiting on conditions.
#   ok NAME COMMAND...      runs it, passes when it answers 0
#   is NAME GOT WANT        passes when equal
#   has NAME TEXT PATTERN   passes when grep -E finds PATTERN in TEXT
#   skip NAME REASON
#   wait_for SECONDS COMMAND...   polls until COMMAND answers 0
#   kubectl_since MINOR           is the kubectl on PATH at least 1.MINOR?
# shellcheck shell=sh
set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/meshtop-test.XXXXXX")
export HOME="$T/home" XDG_STATE_HOME="$T/state" XDG_CACHE_HOME="$T/cache" XDG_CONFIG_HOME="$T/config"
export TERM=xterm-256color LC_ALL=C.UTF-8 TZ=UTC
unset KUBECONFIG NO_COLOR
mkdir -p "$HOME"
: "${MESHTOP:=$PWD/meshtop}"
tap_n=0
at_end=:
trap 'eval "$at_end"; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

pass() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1"; }
fail() { tap_n=$((tap_n + 1)); echo "not ok $tap_n - $1"; [ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/# /'; }
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP $2"; }
ok() { name=$1; shift; if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "exit $?: $out"; fi; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:  $2
want: $3"; fi; }
has() { if printf '%s\n' "$2" | grep -qE -- "$3"; then pass "$1"; else fail "$1" "no /$3/ in:
$2"; fi; }
hasnt() { if printf '%s\n' "$2" | grep -qE -- "$3"; then fail "$1" "/$3/ is in:
$2"; else pass "$1"; fi; }
kubectl_since() {
	minor=$(kubectl version --client -o json 2>/dev/null | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p' | head -1)
	[ "${minor:-0}" -ge "$1" ]
}
wait_for() {
	limit=$1; shift
	end=$(($(date +%s) + limit))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		perl -e 'select(undef,undef,undef,0.03)' 2>/dev/null || :
	done
}
