package main

import (
	"math/rand"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
)

type object = map[string]any

var (
	from = []string{"spec.s", "spec.n", "spec.half", "spec.huge", "spec.yes", "spec.l", "spec.l[1]", "spec.lm[0].k", "spec.m", "spec.m.x", "spec.m.deep.er[1]",
		"spec.nothing", "spec.missing", "spec.missing.deeper", "spec.l[9]", "spec.s.x", "metadata.labels[team.example.org/name]", "metadata.labels", "metadata.name",
		"spec", "spec.me", "spec.le", "spec.size", "spec.json", "spec.csv", "spec.digits", "spec.float", "spec.mixed", "spec.b64", "spec.uni", "spec.empty", "spec.big", "spec.neg", "spec.zero", "spec.no", "spec.f", "status.conditions[0].status"}
	envFrom = []string{"region", "count", "list[0]", "m", "m.a", "none", "list"}
	seen    = []string{"status.id", "status.n", "status.f", "status.yes", "metadata.annotations[crossplane.io/external-name]", "spec.list[*].a", "spec.list[1].a", "status.none", "spec"}
	to      = []string{"spec.a", "spec.a.b", "spec.list[0]", "spec.list[3].x", "spec.list[*].v", "spec.m.x", "spec.m", "metadata.labels[a.b/c]", "metadata.annotations", "spec.obj.deep[0].y", "spec.str.x", "spec.arr", "spec.none[*].x", "spec.map[*].v", "spec.n", "data['k.v']"}
	xrTo    = []string{"status.out", "status.out.deep", "status.list[1]", "status.m[a.b]", "metadata.labels[x]", "spec.back"}
	formats = []string{"%s", "%d", "%v", "x-%s-y", "%05.1f", "%s-%s", "%x", "%q", "%[1]s", "%t", "%", "%z", "plain", "%+v", "%8.3s|"}
	merges  = []string{"Replace", "MergeObjects", "MergeObject", "MergeObjectsAppendArrays", "ForceMergeObjects", "ForceMergeObjectsAppendArrays", "AppendArray"}
)

// rarely is v, most often one of good.
func rarely(r *rand.Rand, v string, good ...string) string {
	if chance(r, 3) {
		return v
	}
	return pick(r, good)
}

func maybe(r *rand.Rand, o object, percent int, key string, v any) {
	if chance(r, percent) {
		o[key] = v
	}
}

func stringTransform(r *rand.Rand) object {
	s := object{}
	kind := r.Intn(7)
	if chance(r, 3) {
		kind = 7
	}
	switch kind {
	case 0:
		s["type"], s["fmt"] = "Format", pick(r, formats)
	case 1:
		s["type"], s["convert"] = "Convert", rarely(r, "Nope", "ToUpper", "ToLower", "ToBase64", "FromBase64", "ToJson", "ToSha1", "ToSha256", "ToSha512", "ToAdler32")
	case 2:
		s["type"], s["trim"] = "TrimPrefix", pick(r, []string{"he", "x", ""})
	case 3:
		s["type"], s["trim"] = "TrimSuffix", pick(r, []string{"1", "lo", ""})
	case 4:
		re := object{"match": pick(r, []string{"(l+)o", "^h", "(a)(b)?", "[", "x"})}
		maybe(r, re, 50, "group", r.Intn(4))
		s["type"], s["regexp"] = "Regexp", re
	case 5:
		s["type"], s["join"] = "Join", object{"separator": pick(r, []string{",", "", ", ", "→"})}
	case 6:
		s["type"], s["replace"] = "Replace", object{"search": pick(r, []string{"l", "", "xx"}), "replace": pick(r, []string{"L", ""})}
	default:
		s["type"] = pick(r, []string{"Format", "Convert", "Regexp", "Join", "Replace", "TrimPrefix", "Nope", ""})
	}
	return s
}

func transform(r *rand.Rand) object {
	anyValue := func() any { return pick(r, []any{"v", 1, 2.5, true, nil, []any{"l"}, object{"k": "v"}}) }
	kind := r.Intn(6)
	if chance(r, 3) {
		kind = 6
	}
	switch kind {
	case 0:
		return object{"type": "map", "map": object{"hello World-1": anyValue(), "5": "five", "True": anyValue(), "eu": "EU", "": "e"}}
	case 1:
		patterns := []any{}
		for i := 0; i < r.Intn(3); i++ {
			p := object{"type": rarely(r, "nope", "literal", "regexp"), "result": anyValue()}
			maybe(r, p, 60, "literal", pick(r, []string{"hello World-1", "5", "eu"}))
			maybe(r, p, 60, "regexp", pick(r, []string{"^h.*", "(", "o$", "."}))
			patterns = append(patterns, p)
		}
		m := object{"patterns": patterns}
		maybe(r, m, 40, "fallbackValue", anyValue())
		maybe(r, m, 40, "fallbackTo", pick(r, []string{"Value", "Input"}))
		return object{"type": "match", "match": m}
	case 2:
		m := object{"type": rarely(r, "Nope", "Multiply", "ClampMin", "ClampMax")}
		maybe(r, m, 95, "multiply", pick(r, []int{0, 2, -3, 1000000}))
		maybe(r, m, 95, "clampMin", pick(r, []int{0, 3, -1}))
		maybe(r, m, 95, "clampMax", pick(r, []int{0, 3, 100}))
		return object{"type": "math", "math": m}
	case 3, 4:
		return object{"type": "string", "string": stringTransform(r)}
	case 5:
		c := object{"toType": rarely(r, "nope", "string", "bool", "int", "int64", "float64", "object", "array")}
		maybe(r, c, 40, "format", pick(r, []string{"none", "quantity", "json"}))
		return object{"type": "convert", "convert": c}
	default:
		return object{"type": pick(r, []string{"map", "match", "math", "string", "convert", "nope"})}
	}
}

func common(r *rand.Rand, p object) object {
	if chance(r, 45) {
		ts := []any{}
		for i := 0; i <= r.Intn(3); i++ {
			ts = append(ts, transform(r))
		}
		p["transforms"] = ts
	}
	if chance(r, 35) {
		policy := object{}
		maybe(r, policy, 50, "fromFieldPath", pick(r, []string{"Optional", "Required"}))
		maybe(r, policy, 60, "toFieldPath", pick(r, merges))
		p["policy"] = policy
	}
	return p
}

func combine(r *rand.Rand, paths []string) object {
	vars := []any{}
	for i := 0; i < 1+r.Intn(3); i++ {
		vars = append(vars, object{"fromFieldPath": pick(r, paths)})
	}
	return object{"variables": vars, "strategy": "string", "string": object{"fmt": pick(r, formats)}}
}

func patch(r *rand.Rand, sets bool) object {
	p := object{}
	types := []string{"FromCompositeFieldPath", "FromCompositeFieldPath", "FromCompositeFieldPath", "ToCompositeFieldPath", "CombineFromComposite", "CombineToComposite", "FromEnvironmentFieldPath", "ToEnvironmentFieldPath", "CombineFromEnvironment", "CombineToEnvironment"}
	t := pick(r, types)
	if sets && chance(r, 10) {
		return object{"type": "PatchSet", "patchSetName": rarely(r, "none", "set")}
	}
	paths, targets := from, to
	switch t {
	case "ToCompositeFieldPath", "CombineToComposite":
		paths, targets = seen, xrTo
	case "ToEnvironmentFieldPath", "CombineToEnvironment":
		paths, targets = seen, []string{"fromResource", "deep.er", "list[1]"}
	case "FromEnvironmentFieldPath", "CombineFromEnvironment":
		paths = envFrom
	}
	p["type"] = t
	if t[:7] == "Combine" {
		p["combine"] = combine(r, paths)
		maybe(r, p, 98, "toFieldPath", pick(r, targets))
	} else {
		p["fromFieldPath"] = pick(r, paths)
		maybe(r, p, 96, "toFieldPath", pick(r, targets))
	}
	if t == "FromCompositeFieldPath" && chance(r, 30) {
		delete(p, "type")
	}
	return common(r, p)
}

func several(r *rand.Rand, n int, sets bool) []any {
	out := []any{}
	for i := 0; i < r.Intn(n); i++ {
		out = append(out, patch(r, sets))
	}
	return out
}

func readiness(r *rand.Rand) []any {
	out := []any{}
	for i := 0; i < r.Intn(3); i++ {
		c := object{"type": pick(r, []string{"None", "NonEmpty", "MatchString", "MatchInteger", "MatchTrue", "MatchFalse", "MatchCondition"})}
		maybe(r, c, 97, "fieldPath", pick(r, seen))
		maybe(r, c, 95, "matchString", pick(r, []string{"i-1", "x", ""}))
		maybe(r, c, 95, "matchInteger", pick(r, []int{7, 0}))
		maybe(r, c, 95, "matchCondition", object{"type": "Ready", "status": pick(r, []string{"True", "False"})})
		out = append(out, c)
	}
	return out
}

func details(r *rand.Rand) []any {
	out := []any{}
	for i := 0; i < r.Intn(3); i++ {
		d := object{"name": pick(r, []string{"k1", "k2"}), "type": pick(r, []string{"FromConnectionSecretKey", "FromFieldPath", "FromValue"})}
		maybe(r, d, 96, "fromConnectionSecretKey", pick(r, []string{"user", "none"}))
		maybe(r, d, 96, "fromFieldPath", pick(r, seen))
		maybe(r, d, 96, "value", "v")
		out = append(out, d)
	}
	return out
}

func base() object {
	return object{"apiVersion": "v1", "kind": "Thing", "spec": object{
		"list": []any{object{"v": "0", "x": 1}, object{"v": "1"}}, "m": object{"x": "there", "n": 1, "empty": ""}, "str": "text",
		"arr": []any{"a", 1, object{"k": "v"}}, "map": object{"one": object{"v": 1}, "two": object{"v": 2}}, "n": 3}}
}

// envPatch is a patch between the environment and the composite.
func envPatch(r *rand.Rand) object {
	if chance(r, 5) {
		return patch(r, false)
	}
	type way struct {
		kind     string
		from, to []string
	}
	w := pick(r, []way{
		{"FromCompositeFieldPath", from, []string{"deep.x", "new", "list[2]"}}, {"ToCompositeFieldPath", envFrom, xrTo},
		{"FromEnvironmentFieldPath", envFrom, xrTo}, {"ToEnvironmentFieldPath", from, []string{"env", "list[*]"}},
		{"CombineFromComposite", from, []string{"combined"}}, {"CombineToComposite", envFrom, xrTo}})
	p := object{"type": w.kind, "toFieldPath": pick(r, w.to)}
	if w.kind[:7] == "Combine" {
		p["combine"] = combine(r, w.from)
	} else {
		p["fromFieldPath"] = pick(r, w.from)
	}
	return common(r, p)
}

func patches(r *rand.Rand) *fnv1.RunFunctionRequest {
	resource := object{"name": "one", "patches": several(r, 5, true)}
	maybe(r, resource, 93, "base", base())
	maybe(r, resource, 40, "readinessChecks", readiness(r))
	maybe(r, resource, 30, "connectionDetails", details(r))
	resources := []any{resource}
	if chance(r, 25) {
		resources = append(resources, object{"name": "two", "base": base(), "patches": several(r, 3, true)})
	}
	input := object{"apiVersion": "pt.fn.crossplane.io/v1beta1", "kind": "Resources", "resources": resources}
	maybe(r, input, 80, "patchSets", []any{object{"name": "set", "patches": several(r, 3, false)}})
	if chance(r, 25) {
		env := []any{}
		for i := 0; i <= r.Intn(2); i++ {
			env = append(env, envPatch(r))
		}
		input["environment"] = object{"patches": env}
	}
	maybe(r, input, 15, "writeConnectionSecretToRef", object{"name": "secret", "namespace": "ns"})
	if chance(r, 2) {
		input[pick(r, []string{"extra", "Resources", "patchsets"})] = 1
	}
	return request(r, input)
}
