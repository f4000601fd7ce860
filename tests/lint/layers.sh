#!/bin/sh
# The floor plan, enforced (docs/ARCHITECTURE.md).  usage: layers.sh FLOOR...
# 1. A floor may include itself and the floors after its colon; nothing else.
# 2. Each third-party header comes in by one door.
floors='lib/base:
lib/schema:lib/base
lib/compose:lib/base lib/schema
lib/kube:lib/base
lib/mesh:lib/base lib/schema lib/compose lib/kube
devenv:lib/base lib/kube lib/mesh
devenv/sandbox:lib/base lib/schema lib/compose
tui:lib/base lib/schema lib/kube lib/mesh devenv
cli:lib/base lib/schema lib/compose lib/kube lib/mesh devenv devenv/sandbox tui'
doors='curses:tui/term.c
curl/:lib/kube/http.c lib/kube/http_setup.c lib/kube/http_trouble.c
cjson/:lib/base/json.c
yaml.h>:lib/base/yaml.c lib/base/yaml_node.c
microhttpd:devenv/sandbox/http.c
sqlite3:devenv/sandbox/journal.c
gnutls:lib/base/digest.c lib/base/crypto.c devenv/sandbox/tls.c
crypt.h>:lib/base/crypto.c
archive:lib/base/archive.c'
bad=0
for f in "$@"; do
	allow="$f $(printf '%s\n' "$floors" | sed -n "s#^$f:##p")"
	for src in "$f"/*.[ch]; do
		[ -e "$src" ] || continue
		for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$src"); do
			case " $allow " in *" ${inc%/*} "*) continue ;; esac
			echo "$src: $f may not include $inc" >&2; bad=1
		done
		while IFS=: read -r lib door; do
			case " $door " in *" $src "*) continue ;; esac
			if grep -q "^#include <[^\">]*$lib" "$src"; then
				echo "$src: <$lib> belongs in $door" >&2; bad=1
			fi
		done <<-EOD
		$doors
		EOD
	done
done
exit $bad
