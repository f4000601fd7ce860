#!/bin/sh
# Installs what one target needs and is not there: commands and headers for
# that target only.  usage: deps.sh run|test|check|fuzz
# Debian/Ubuntu (apt) and Fedora/RHEL (dnf); as root or through `sudo -n`.
set -eu
target=${1:?usage: deps.sh run|test|check|fuzz}

# what it is looked for by | apt package | dnf package
build='cmd:cc|gcc|gcc
cmd:pkg-config|pkg-config|pkgconf-pkg-config
pc:ncursesw|libncurses-dev|ncurses-devel
pc:libcurl|libcurl4-openssl-dev|libcurl-devel
pc:libcjson|libcjson-dev|cjson-devel
pc:yaml-0.1|libyaml-dev|libyaml-devel
pc:libmicrohttpd|libmicrohttpd-dev|libmicrohttpd-devel
pc:sqlite3|libsqlite3-dev|sqlite-devel
pc:gnutls|libgnutls28-dev|gnutls-devel
pc:libxcrypt|libcrypt-dev|libxcrypt-devel
pc:libarchive|libarchive-dev|libarchive-devel'
testing='pc:cmocka|libcmocka-dev|libcmocka-devel
cmd:tmux|tmux|tmux
cmd:pgrep|procps|procps-ng
cmd:perl|perl|perl
cmd:python3|python3|python3
cmd:curl|curl|curl
cmd:openssl|openssl|openssl
cmd:kubectl|kubernetes-client|kubernetes-client'
linting='cmd:clang-format|clang-format|clang-tools-extra'
fuzzing='cmd:clang|clang|clang
fuzzer:|libclang-rt-14-dev|compiler-rt
cmd:llvm-profdata|llvm|llvm'

case $target in
run) want=$build ;;
test) want=$(printf '%s\n%s' "$build" "$testing") ;;
check) want=$(printf '%s\n%s' "$build" "$linting") ;;
fuzz) want=$(printf '%s\n%s' "$build" "$fuzzing") ;;
*) echo "deps.sh: unknown target $target" >&2; exit 2 ;;
esac

has() {
	case $1 in
	cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
	pc:*) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "${1#pc:}" ;;
	fuzzer:*) command -v clang >/dev/null 2>&1 &&
		[ -e "$(clang -print-file-name=libclang_rt.fuzzer-$(uname -m).a)" ] ;;
	esac
}

field=3
if command -v apt-get >/dev/null 2>&1; then field=2; fi
missing=
while IFS= read -r line; do
	[ -n "$line" ] || continue
	has "${line%%|*}" || missing="$missing $(echo "$line" | cut -d'|' -f$field)"
done <<EOT
$want
EOT

if [ -n "$missing" ]; then
	as=
	if [ "$(id -u)" != 0 ]; then
		if ! sudo -n true 2>/dev/null; then
			echo "meshtop needs these packages:$missing" >&2
			echo "Install them, or run this again as root or with passwordless sudo." >&2
			exit 1
		fi
		as='sudo -n'
	fi
	if [ $field = 2 ]; then
		echo "+ $as apt-get update && $as apt-get install -y$missing"
		$as apt-get update -qq
		$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
	elif command -v dnf >/dev/null 2>&1; then
		echo "+ $as dnf install -y$missing"
		$as dnf install -y -q $missing
	else
		echo "meshtop needs these packages (neither apt nor dnf is here):$missing" >&2
		exit 1
	fi
fi

# Client certificates held in memory need curl's OpenSSL back end.
if ! pkg-config --libs --static libcurl 2>/dev/null | grep -q -- -lssl; then
	echo "meshtop needs a libcurl with the OpenSSL back end; this one has another." >&2
	echo "On Debian: apt-get install libcurl4-openssl-dev (it replaces the GnuTLS flavour)." >&2
	exit 1
fi
