#!/bin/sh
# Vets the digests of kind-config/versions.lock against what vouches for them:
# the Go module each `vetted` names is downloaded (the go command checks it by
# the Go checksum database), its h1: sum is compared with the lock's, and the
# digest must stand in the file that is named.  Needs go; without a network
# GOPROXY=off uses the modules that are there already.
# usage: lock-vet.sh [LOCK]        exit 0: all good, 1: one is wrong, 3: cannot say
set -u
cd "$(dirname "$0")/.." || exit 1
lock=${1:-kind-config/versions.lock}
command -v go >/dev/null || { echo "lock-vet: no go" >&2; exit 3; }
bad=0

# One line an entry: NAME VERSION DIGEST FILE MODULE SUM; - for what is absent.
entries() {
	awk '
		function out() {
			if (vetted ~ /of module/) {
				split(vetted, w, " of module "); n = split(w[1], file, " "); split(w[2], m, " ")
				print name, version, digest ? digest : "-", file[n], m[1], m[2]
			}
			name = version = digest = vetted = ""; on = 0
		}
		/^---/      { out(); next }
		/^name: /   { name = $2 }
		/^version: /{ version = $2 }
		/^digest: / { digest = $2 }
		/^vetted: / { on = 1; next }
		/^  / && on { sub(/^ +/, ""); vetted = vetted (vetted ? " " : "") $0; next }
		            { on = 0 }
		END         { out() }' "$lock"
}

entries >/dev/null || exit 1
entries | {
	while read -r name version digest file module sum; do
		json=$(cd / && GOFLAGS='' go mod download -json "$module" 2>/dev/null)
		dir=$(printf '%s\n' "$json" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
		got=$(printf '%s\n' "$json" | sed -n 's/.*"Sum": "\(.*\)".*/\1/p')
		if [ -z "$dir" ]; then echo "cannot fetch $module" >&2; exit 3; fi
		if [ "$got" != "$sum" ]; then echo "$name $version: $module is $got, the lock says $sum" >&2; bad=1
		elif [ "$digest" != - ] && ! grep -qF -- "$version@$digest" "$dir/$file"; then
			echo "$name $version: $file of $module does not say $digest" >&2; bad=1
		elif [ ! -e "$dir/$file" ]; then echo "$name $version: $module has no $file" >&2; bad=1
		else echo "ok $name $version: $module"; fi
	done
	exit $bad
}
