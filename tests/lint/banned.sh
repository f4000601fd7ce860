#!/bin/sh
# Functions that have a better sister (docs/STYLE.md rule 10), and words that
# say a thing is unfinished.  usage: banned.sh FILE...
bad=0
pattern='\<(strcpy|strcat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atof|gets|localtime|gmtime|ctime|asctime|system|popen|regcomp|mktemp|tmpnam|strncpy|strncat|alloca)[[:space:]]*\('
if grep -nE "$pattern" "$@"; then
	echo "banned functions (see tests/lint/banned.sh)" >&2; bad=1
fi
if grep -nwE 'TODO|FIXME|XXX|HACK' "$@"; then
	echo "unfinished words" >&2; bad=1
fi
exit $bad
