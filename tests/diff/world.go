package main

import (
	"fmt"
	"math/rand"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
)

func pick[T any](r *rand.Rand, v []T) T { return v[r.Intn(len(v))] }

func chance(r *rand.Rand, percent int) bool { return r.Intn(100) < percent }

// The observed composite: one member of each kind of value.
func spec() map[string]any {
	return map[string]any{
		"s": "hello World-1", "empty": "", "spaces": "  two words  ", "uni": "héllo→ß",
		"n": 5, "zero": 0, "neg": -3, "big": 123456789, "huge": 1e21, "half": 0.5, "f": 1.25,
		"yes": true, "no": false, "nothing": nil,
		"l": []any{"b", "a", "c", "a"}, "ln": []any{3, 1, 2}, "lm": []any{map[string]any{"k": "x"}, map[string]any{"k": "y"}},
		"le": []any{}, "mixed": []any{"a", 1, true, nil, 2.5},
		"m": map[string]any{"x": 1, "y": "why", "deep": map[string]any{"er": []any{1, 2}}}, "me": map[string]any{},
		"date": "2024-01-02T03:04:05Z", "v": "1.2.3", "v2": "2.0.0-beta.1",
		"url": "https://user:pw@host.example:80/p/q?a=1#frag", "path": "/a/b.c/d.txt", "b64": "aGVsbG8=",
		"json": `{"a": [1, 2.5, null], "b": {"c": "d"}}`, "yaml": "a: 1\nb: [x, 'y']\n", "bad": "{[",
		"digits": "0042", "float": "3.75", "size": "1Gi", "csv": "a,b,,c", "quote": `say "hi" & <go>`, "lines": "one\ntwo\n",
	}
}

func mustStruct(v map[string]any) *structpb.Struct {
	s, err := structpb.NewStruct(v)
	if err != nil {
		panic(fmt.Sprint(err, v))
	}
	return s
}

func composite() *structpb.Struct {
	return mustStruct(map[string]any{
		"apiVersion": "example.org/v1", "kind": "XR",
		"metadata": map[string]any{"name": "xr", "uid": "75e4a668-035f-4ce8-8c45-f4d3ac850155",
			"labels": map[string]any{"team.example.org/name": "red", "size": "L"}, "annotations": map[string]any{"a.b/c": "d"}},
		"spec":   spec(),
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "Available"}}},
	})
}

func observed(ready string) *structpb.Struct {
	return mustStruct(map[string]any{
		"apiVersion": "v1", "kind": "Thing", "metadata": map[string]any{"name": "seen", "namespace": "ns",
			"annotations": map[string]any{"crossplane.io/external-name": "ext-1"}},
		"spec": map[string]any{"keep": "me", "list": []any{map[string]any{"a": 1}, map[string]any{"a": 2}}},
		"status": map[string]any{"id": "i-1", "n": 7, "f": 0.25, "yes": true, "no": false,
			"conditions": []any{map[string]any{"type": "Ready", "status": ready, "reason": "R"}}},
	})
}

func request(r *rand.Rand, input map[string]any) *fnv1.RunFunctionRequest {
	q := &fnv1.RunFunctionRequest{
		Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: composite(),
			ConnectionDetails: map[string][]byte{"key": []byte("value")}}},
		Desired: &fnv1.State{},
		Input:   mustStruct(input),
		Context: mustStruct(map[string]any{"apiextensions.crossplane.io/environment": map[string]any{
			"region": "eu", "count": 3, "list": []any{"p", "q"}, "m": map[string]any{"a": 1}}}),
	}
	if chance(r, 70) {
		q.Observed.Resources = map[string]*fnv1.Resource{"one": {Resource: observed(pick(r, []string{"True", "False"})),
			ConnectionDetails: map[string][]byte{"user": []byte("u"), "password": []byte("p")}}}
	}
	if chance(r, 30) {
		q.Desired.Resources = map[string]*fnv1.Resource{"one": {Resource: mustStruct(map[string]any{
			"apiVersion": "v1", "kind": "Thing", "spec": map[string]any{"was": "there", "n": 1, "l": []any{"a"}}})}}
	}
	return q
}
