package main

import (
	"fmt"
	"math/rand"
	"sort"
	"strings"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
)

// What a function takes: s text, i integer, f number, b boolean, l list, m map,
// d date, n count, a anything. Left out: what is random, tells the time, or gives a
// map's members in Go's random order. Of time zones only UTC is built in.
var calls = map[string]string{
	"upper": "s", "lower": "s", "title": "s", "untitle": "s", "trim": "s", "trimAll": "ss", "trimSuffix": "ss", "trimPrefix": "ss",
	"repeat": "ns", "substr": "iis", "nospace": "s", "trunc": "is", "abbrev": "is", "abbrevboth": "iis", "initials": "s",
	"wrap": "is", "wrapWith": "iss", "contains": "ss", "hasPrefix": "ss", "hasSuffix": "ss", "quote": "a", "squote": "a", "cat": "aaa",
	"indent": "ns", "nindent": "ns", "replace": "sss", "plural": "ssi", "snakecase": "s", "camelcase": "s", "kebabcase": "s", "swapcase": "s",
	"regexMatch": "rs", "regexFind": "rs", "regexFindAll": "rsi", "regexReplaceAll": "rss", "regexReplaceAllLiteral": "rss", "regexSplit": "rsi",
	"mustRegexMatch": "rs", "regexQuoteMeta": "s", "splitList": "ss", "split": "ss", "splitn": "sis", "join": "sl", "sortAlpha": "l",
	"add": "ff", "add1": "f", "sub": "ff", "div": "fi", "mod": "fi", "mul": "ff", "max": "ff", "min": "ff", "addf": "ff", "add1f": "f",
	"subf": "ff", "divf": "ff", "mulf": "ff", "maxf": "ff", "minf": "ff", "floor": "f", "ceil": "f", "round": "fi", "len": "a", "biggest": "ff",
	"until": "n", "untilStep": "nnn", "seq": "nn", "default": "aa", "empty": "a", "coalesce": "aaa", "all": "aa", "any": "aa", "ternary": "aab",
	"toJson": "a", "toPrettyJson": "a", "toRawJson": "a", "fromJson": "j", "mustToJson": "a", "mustFromJson": "j", "toYaml": "a", "fromYaml": "y",
	"list": "aaa", "first": "l", "rest": "l", "last": "l", "initial": "l", "reverse": "l", "uniq": "l", "without": "la", "has": "al",
	"append": "la", "prepend": "la", "concat": "ll", "compact": "l", "slice": "lii", "chunk": "nl", "mustFirst": "l", "mustLast": "l",
	"dict": "sasa", "get": "ms", "hasKey": "ms", "pluck": "sm", "pick": "mss", "omit": "ms", "merge": "mm", "mergeOverwrite": "mm",
	"set": "msa", "unset": "ms", "deepCopy": "a", "deepEqual": "aa", "dig": "sam", "mustMerge": "mm",
	"atoi": "s", "int": "a", "int64": "a", "float64": "a", "toDecimal": "s", "toString": "a", "toStrings": "l",
	"kindOf": "a", "kindIs": "sa", "typeOf": "a", "typeIs": "sa", "typeIsLike": "sa",
	"base": "p", "dir": "p", "clean": "p", "ext": "p", "isAbs": "p", "osBase": "p", "b64enc": "s", "b64dec": "6", "b32enc": "s", "b32dec": "s",
	"sha1sum": "s", "sha256sum": "s", "sha512sum": "s", "adler32sum": "s", "semver": "v", "semverCompare": "cv", "urlParse": "u",
	"date": "td", "dateInZone": "tdz", "dateModify": "kd", "toDate": "ts", "htmlDate": "d", "duration": "i", "durationRound": "k", "unixEpoch": "d",
	"eq": "aa", "ne": "aa", "lt": "ff", "le": "ss", "gt": "ff", "ge": "ff", "and": "aa", "or": "aa", "not": "a", "index": "li",
	"print": "aaa", "println": "aa", "printf": "%aa", "html": "s", "js": "s", "urlquery": "s",
	"trimall": "ss", "hello": "", "fail": "s", "tuple": "aa", "substring": "s",
	"getResourceCondition": "sR", "setResourceNameAnnotation": "s", "getCompositeResource": "D", "getComposedResource": "Ds",
}

var names = func() (out []string) {
	for n := range calls {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}()

var literals = map[byte][]string{
	's': {`"a"`, `"hello World"`, `""`, `"héß→"`, "`raw \\n`", `"l\nm"`, `"-"`, `","`, `"true"`, `"a.b/c"`, `"x"`, `"Ready"`, `"one"`, "$s.s", "$s.uni", "$s.spaces", "$s.csv", "$s.quote", "$s.lines", "$s.empty", "$s.digits"},
	'i': {"0", "1", "2", "3", "-1", "7", "10", "0x1F", "$s.n", "$s.zero", "$s.neg", "$s.big"},
	'n': {"0", "1", "2", "3", "-1", "5", "$s.n", "$s.neg"}, // counts: never big
	'f': {"0", "1", "2.5", "-3", "1e3", "0.1", "$s.f", "$s.half", "$s.n", "$s.huge", `"3.75"`, `"7"`, "$s.big"},
	'b': {"true", "false", "$s.yes", "$s.no"},
	'l': {"$s.l", "$s.ln", "$s.lm", "$s.le", "$s.mixed", `(list "z" "y")`, "(list 2 1.5 nil)", "(list)", "(until 3)"},
	'm': {"$s.m", "$s.me", `(dict "a" 1 "b" (list 1 2))`, "$s", `(dict)`, "$s.m.deep", `(dict "x" 9 "deep" (dict "q" nil))`},
	'd': {`(toDate "2006-01-02" "2021-03-04")`, `(toDate "2006-01-02T15:04:05Z07:00" $s.date)`},
	't': {`"2006-01-02"`, `"15 MST Mon Jan"`, `"Monday, 02-Jan-06 -0700"`, `"unknown"`},
	'z': {`"UTC"`, `"nowhere"`}, 'k': {`"90s"`, `"2h30m"`, `"-1.5h"`, `"x"`, `"100h"`},
	'r': {`"l+"`, `"^(h)(e)?"`, `"[a-c]+"`, `"(?i)WORLD"`, `"\\d*"`, `"("`, `""`, `"o|e"`, `"\\s"`},
	'v': {"$s.v", "$s.v2", `"v1.2"`, `"1.2.3+b"`, `"nope"`}, 'c': {`">=1.0"`, `"^1.2"`, `"~2"`, `"1.x || >3"`, `"bad bad"`},
	'u': {"$s.url", `"http://h/p"`, `"%zz"`, `""`}, 'p': {"$s.path", `"a/../b"`, `""`, `"/"`, `"x.tar.gz"`},
	'6': {"$s.b64", `"bad!"`, `"YQ=="`}, 'j': {"$s.json", "$s.bad", `"5"`, `"[1,2]"`, `"\"s\""`}, 'y': {"$s.yaml", "$s.bad", `"x: {y: 1}"`, `"5"`},
	'%': {`"%v"`, `"%s-%d"`, `"%d %v"`, `"%5.2f|%x"`, `"%q %T"`, `"%+v %#v"`, `"%08d|%-6s|"`, `"%t%%%c"`, `"%[2]v %[1]v"`, `"%e %g"`, `"%U%o%b"`},
	'R': {".observed.composite.resource", `(getCompositeResource $)`, `(index .observed.resources "one").resource`, "$s"},
	'D': {".", "$"},
	'a': {"nil", "$s.nothing", "$s.missing", "$s.m.x", "$s.m.none.deeper", "'x'", "true", `"text"`, "4", "2.5", "$s.l", "$s.m", "$s.mixed", "$s.huge", "(index $s.l 0)", `(index $s.m "deep")`, ".context"},
}

// expression is a value; depth bounds how calls nest.
func expression(r *rand.Rand, kind byte, depth int) string {
	if kind == 'n' {
		return pick(r, literals[kind])
	}
	if chance(r, 8) {
		kind = pick(r, []byte("sifblma"))
	}
	if depth <= 0 || chance(r, 35) {
		if kind == 'a' && chance(r, 60) {
			kind = pick(r, []byte("sifblm"))
		}
		return pick(r, literals[kind])
	}
	if kind != 'a' && chance(r, 50) {
		return pick(r, literals[kind])
	}
	return "(" + call(r, depth-1) + ")"
}

func call(r *rand.Rand, depth int) string {
	name := pick(r, names)
	args := []string{name}
	kinds := calls[name]
	if chance(r, 4) && len(kinds) > 0 {
		kinds = kinds[1:]
	}
	if chance(r, 2) {
		kinds += "a"
	}
	piped := len(kinds) > 0 && chance(r, 25)
	for i := range kinds {
		args = append(args, expression(r, kinds[i], depth))
	}
	if piped {
		last := args[len(args)-1]
		return last + " | " + strings.Join(args[:len(args)-1], " ")
	}
	return strings.Join(args, " ")
}

// piece is text that becomes a quoted scalar of a document.
func piece(r *rand.Rand, depth int) string {
	switch r.Intn(12) {
	case 0:
		return fmt.Sprintf("{{ if %s }}%s{{ else }}%s{{ end }}", expression(r, 'a', 1), piece(r, depth-1), piece(r, depth-1))
	case 1:
		// Not over a big number: Go counts to it.
		return fmt.Sprintf("{{ range %s }}[{{ . }}]{{ else }}none{{ end }}", expression(r, pick(r, []byte("llmna")), 1))
	case 2:
		return fmt.Sprintf("{{ range $k, $v := %s }}{{ $k }}={{ $v }};{{ if eq (print $k) \"1\" }}{{ %s }}{{ end }}{{ end }}",
			expression(r, pick(r, []byte("lm")), 1), pick(r, []string{"break", "continue", `"on"`}))
	case 3:
		return fmt.Sprintf("{{ with %s }}<{{ . }}>{{ else }}-{{ end }}", expression(r, 'a', 1))
	case 4:
		return fmt.Sprintf("{{ $x := %s }}{{ $x = %s }}{{- $x -}} .", expression(r, 'a', 1), expression(r, 'a', 1))
	case 5:
		return fmt.Sprintf("{{ template \"t\" %s }}{{/* c */}}", expression(r, 'a', 1))
	case 6:
		return fmt.Sprintf("{{ include \"t\" %s }}", expression(r, 'a', 1))
	default:
		return "{{ " + call(r, 2) + " }}"
	}
}

func template(r *rand.Rand) *fnv1.RunFunctionRequest {
	var b strings.Builder
	b.WriteString(`{{ define "t" }}T({{ . }}){{ end }}{{ $s := .observed.composite.resource.spec }}`)
	for i := 0; i <= r.Intn(2); i++ {
		fmt.Fprintf(&b, "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    {{ setResourceNameAnnotation \"r%d\" }}\ndata:\n", i)
		for k := 0; k <= r.Intn(3); k++ {
			// Whatever it prints becomes one JSON string.
			fmt.Fprintf(&b, "{{ define \"v%d%d\" }}{{ $s := .observed.composite.resource.spec }}%s{{ end }}  k%d: {{ include \"v%d%d\" $ | toJson }}\n",
				i, k, piece(r, 2), k, i, k)
		}
		if chance(r, 15) {
			fmt.Fprintf(&b, "  raw: %s\n", piece(r, 0))
		}
	}
	input := map[string]any{"apiVersion": "gotemplating.fn.crossplane.io/v1beta1", "kind": "GoTemplate", "source": "Inline",
		"inline": map[string]any{"template": b.String()}}
	if chance(r, 15) {
		input["options"] = []any{pick(r, []string{"missingkey=error", "missingkey=zero", "missingkey=default"})}
	}
	return request(r, input)
}
