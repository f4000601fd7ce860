package main

import (
	"fmt"
	"math/rand"
)

// A generator of structural schemas and of objects that fit them (mostly).
// Names and values come from small pools, so that writers meet.

type object = map[string]any

var fieldNames = []string{"alpha", "beta", "gamma", "delta", "eps"}
var texts = []string{"a", "b", "c", "d"}

type gen struct{ r *rand.Rand }

func (g gen) of(list []string) string   { return list[g.r.Intn(len(list))] }
func (g gen) chance(n int) bool         { return g.r.Intn(n) == 0 }
func (g gen) pick(options ...func()) { options[g.r.Intn(len(options))]() }

func scalarSchema(g gen) object {
	switch g.r.Intn(6) {
	case 0:
		return object{"type": "integer"}
	case 1:
		return object{"type": "boolean"}
	case 2:
		return object{"type": "number"}
	case 3:
		return object{"x-kubernetes-int-or-string": true}
	}
	return object{"type": "string"}
}

func properties(g gen, depth int) object {
	out := object{}
	for i := 1 + g.r.Intn(4); i > 0; i-- {
		out[g.of(fieldNames)] = nodeSchema(g, depth-1)
	}
	return out
}

func keyedItems(g gen, depth int, atomic bool) (object, []any) {
	props := properties(g, depth)
	keys := []any{"name"}
	props["name"] = object{"type": "string"}
	required := []any{"name"}
	if g.chance(3) {
		keys = append(keys, "port")
		props["port"] = object{"type": "integer"}
		if g.chance(2) {
			props["port"] = object{"type": "integer", "default": int64(1)}
		} else {
			required = append(required, "port")
		}
	}
	items := object{"type": "object", "properties": props, "required": required}
	if atomic {
		items["x-kubernetes-map-type"] = "atomic"
	}
	return items, keys
}

func listSchema(g gen, depth int) object {
	switch g.r.Intn(4) {
	case 0:
		return object{"type": "array", "items": nodeSchema(g, depth-1)}
	case 1:
		t := []string{"string", "integer", "string"}[g.r.Intn(3)]
		return object{"type": "array", "items": object{"type": t}, "x-kubernetes-list-type": "set"}
	case 2:
		return object{"type": "array", "items": nodeSchema(g, depth-1), "x-kubernetes-list-type": "atomic"}
	}
	items, keys := keyedItems(g, depth, g.chance(6))
	return object{"type": "array", "items": items,
		"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
}

func objectSchema(g gen, depth int) object {
	s := object{"type": "object"}
	switch g.r.Intn(6) {
	case 0:
		s["additionalProperties"] = nodeSchema(g, depth-1)
	case 1:
		s["x-kubernetes-preserve-unknown-fields"] = true
		if g.chance(2) {
			s["properties"] = properties(g, depth)
		}
	default:
		s["properties"] = properties(g, depth)
	}
	if g.chance(5) {
		s["x-kubernetes-map-type"] = g.of([]string{"atomic", "granular"})
	}
	return s
}

func nodeSchema(g gen, depth int) object {
	var s object
	switch {
	case depth <= 0 || g.chance(3):
		s = scalarSchema(g)
		if s["type"] == "string" && g.chance(5) {
			s["default"] = "b"
		}
		if g.chance(6) {
			s["nullable"] = true
		}
		return s
	case g.chance(2):
		s = objectSchema(g, depth)
	case g.chance(8):
		s = object{"x-kubernetes-preserve-unknown-fields": true}
	case g.chance(12):
		s = object{"type": "object", "x-kubernetes-embedded-resource": true,
			"x-kubernetes-preserve-unknown-fields": true}
	default:
		s = listSchema(g, depth)
	}
	if g.chance(8) && s["x-kubernetes-list-type"] == nil {
		s["nullable"] = true
	}
	return s
}

func rootSchema(g gen) object {
	spec := object{"type": "object", "properties": properties(g, 3)}
	if g.chance(8) {
		spec["x-kubernetes-preserve-unknown-fields"] = true
	}
	props := object{"spec": spec,
		"status": object{"type": "object", "properties": properties(g, 2)}}
	if g.chance(5) {
		props["extra"] = nodeSchema(g, 2)
	}
	return object{"type": "object", "properties": props}
}

// The same schema with some lists and maps of another kind: objects of the one
// fit the other.
func variant(g gen, s any) any {
	switch v := s.(type) {
	case object:
		out := object{}
		for name, x := range v {
			out[name] = variant(g, x)
		}
		if g.chance(2) && (out["x-kubernetes-list-type"] != nil || out["x-kubernetes-map-type"] != nil) {
			delete(out, "x-kubernetes-list-type")
			delete(out, "x-kubernetes-list-map-keys")
			delete(out, "x-kubernetes-map-type")
		} else if out["type"] == "object" && out["properties"] != nil && g.chance(5) {
			out["x-kubernetes-map-type"] = "atomic"
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, variant(g, x))
		}
		return out
	}
	return s
}

func variantRoot(g gen, root object) object {
	out := object{"type": "object", "properties": object{}}
	for name, part := range root["properties"].(object) {
		p := part.(object)
		copied := variant(g, p).(object)
		delete(copied, "x-kubernetes-map-type")
		out["properties"].(object)[name] = copied
	}
	return out
}

// ---- values ----

func freeValue(g gen, depth int) any {
	switch n := g.r.Intn(9); {
	case n < 3 && depth > 0:
		m := object{}
		for i := g.r.Intn(3); i > 0; i-- {
			m[g.of(fieldNames)] = freeValue(g, depth-1)
		}
		return m
	case n == 3 && depth > 0:
		l := []any{}
		for i := g.r.Intn(3); i > 0; i-- {
			l = append(l, freeValue(g, depth-1))
		}
		return l
	case n == 4:
		return int64(g.r.Intn(3))
	case n == 5:
		return g.chance(2)
	case n == 6:
		return float64(g.r.Intn(3)) + 0.5
	}
	return g.of(texts)
}

func scalarValue(g gen, s object) any {
	if s["nullable"] == true && g.chance(4) {
		return nil
	}
	if s["x-kubernetes-int-or-string"] == true {
		if g.chance(2) {
			return int64(g.r.Intn(3))
		}
		return g.of(texts)
	}
	switch s["type"] {
	case "integer":
		return int64(g.r.Intn(3))
	case "number":
		return float64(g.r.Intn(4)) / 2
	case "boolean":
		return g.chance(2)
	}
	return g.of(texts)
}

func mapValue(g gen, s object) any {
	out := object{}
	if props, ok := s["properties"].(object); ok {
		for name, p := range props {
			if g.chance(2) {
				out[name] = value(g, p.(object))
			}
		}
	}
	if add, ok := s["additionalProperties"].(object); ok {
		for i := g.r.Intn(4); i > 0; i-- {
			out[g.of(texts)] = value(g, add)
		}
	}
	if s["x-kubernetes-preserve-unknown-fields"] == true {
		for i := g.r.Intn(3); i > 0; i-- {
			name := "u" + g.of(texts)
			out[name] = freeValue(g, 2)
		}
	}
	if s["x-kubernetes-embedded-resource"] == true {
		out["apiVersion"], out["kind"] = "v1", "Thing"
		out["metadata"] = object{"name": g.of(texts)}
	}
	return out
}

func listValue(g gen, s object) any {
	out := []any{}
	items := s["items"].(object)
	seen := map[string]bool{}
	for i := g.r.Intn(4); i > 0; i-- {
		v := value(g, items)
		id := fmt.Sprint(v)
		if s["x-kubernetes-list-type"] == "map" {
			m, ok := v.(object)
			if !ok {
				out = append(out, v)
				continue
			}
			id = ""
			for _, k := range s["x-kubernetes-list-map-keys"].([]any) {
				ks := items["properties"].(object)[k.(string)].(object)
				if ks["default"] == nil || m[k.(string)] != nil {
					m[k.(string)] = scalarValue(g, ks)
				}
				id += fmt.Sprint(m[k.(string)], ks["default"], "/")
			}
		}
		if (s["x-kubernetes-list-type"] == "map" || s["x-kubernetes-list-type"] == "set") && seen[id] && !g.chance(40) {
			continue
		}
		seen[id] = true
		out = append(out, v)
	}
	return out
}

func value(g gen, s object) any {
	if s["nullable"] == true && g.chance(6) {
		return nil
	}
	if g.chance(150) {
		return freeValue(g, 1)
	}
	switch {
	case s["type"] == "array":
		return listValue(g, s)
	case s["type"] == "object":
		return mapValue(g, s)
	case s["x-kubernetes-preserve-unknown-fields"] == true:
		return freeValue(g, 2)
	}
	return scalarValue(g, s)
}
