#!/bin/sh
# Prints a C file that holds the given files as bytes, in the order given
# (lib/base/asset.h reads the table).  Tables of assets/api are kept gzipped,
# in FOLDER/FILE.gz.  usage: embed.sh FOLDER FILE...
set -eu
packed=$1
shift
echo '#include "lib/base/asset.h"'
i=0
for f in "$@"; do
	case $f in
	assets/api/*)
		mkdir -p "$packed/${f%/*}"
		gzip -9nc "$f" >"$packed/$f.gz"
		f=$packed/$f.gz
		;;
	esac
	printf '__asm__(".section .rodata\\n.balign 16\\nasset_%d:\\n.incbin \\"%s\\"\\nasset_%d_end:\\n.byte 0\\n.text\\n");\n' $i "$f" $i
	printf 'extern const char asset_%d[], asset_%d_end[];\n' $i $i
	i=$((i + 1))
done
echo 'const struct asset_source asset_table[] = {'
i=0
for f in "$@"; do
	printf '\t{"%s", asset_%d, asset_%d_end},\n' "$f" $i $i
	i=$((i + 1))
done
printf '\t{0, 0, 0}};\nconst unsigned asset_count = %d;\n' $i
