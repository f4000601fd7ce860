package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	apiext "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Field managers as the API server makes them for a CRD with the status
// subresource, in versions v1 and v2 that share a schema or do not.

var versions = []string{"v1", "v2"}

type world struct {
	schemas  map[string]object
	managers map[string]*managedfields.FieldManager // "v1", "v1/status"
	defaults map[string]*structural.Structural
}

// Objects change their apiVersion and nothing else.
type convertor struct{ served map[string]bool }

func (c convertor) Convert(in, out, context any) error { return fmt.Errorf("not here") }
func (c convertor) ConvertToVersion(in runtime.Object, to runtime.GroupVersioner) (runtime.Object, error) {
	gv := to.(schema.GroupVersion)
	if !c.served[gv.Version] {
		return nil, runtime.NewNotRegisteredErrForKind("x", gv.WithKind("Widget"))
	}
	u := in.(*unstructured.Unstructured)
	if u.GetAPIVersion() == gv.String() {
		return u, nil
	}
	u = u.DeepCopy()
	u.SetAPIVersion(gv.String())
	return u, nil
}
func (c convertor) ConvertFieldLabel(gvk schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

type creator struct{}

func (creator) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u, nil
}

type defaulter struct{ w *world }

func (d defaulter) Default(in runtime.Object) {
	u := in.(*unstructured.Unstructured)
	d.w.fill(u)
}

func (w *world) fill(u *unstructured.Unstructured) {
	if s := w.defaults[u.GroupVersionKind().Version]; s != nil {
		defaulting.PruneNonNullableNullsWithoutDefaults(u.UnstructuredContent(), s)
		defaulting.Default(u.UnstructuredContent(), s)
	}
}

func definition(schemas map[string]object) *apiextv1.CustomResourceDefinition {
	crd := &apiextv1.CustomResourceDefinition{}
	crd.Name = "widgets.example.org"
	crd.Spec.Group = "example.org"
	crd.Spec.Scope = apiextv1.NamespaceScoped
	crd.Spec.Names = apiextv1.CustomResourceDefinitionNames{Plural: "widgets", Singular: "widget", Kind: "Widget", ListKind: "WidgetList"}
	for _, name := range versions {
		s, ok := schemas[name]
		if !ok {
			continue
		}
		props := &apiextv1.JSONSchemaProps{}
		text, _ := json.Marshal(s)
		if err := json.Unmarshal(text, props); err != nil {
			panic(err)
		}
		crd.Spec.Versions = append(crd.Spec.Versions, apiextv1.CustomResourceDefinitionVersion{
			Name: name, Served: true, Storage: name == "v1",
			Schema:       &apiextv1.CustomResourceValidation{OpenAPIV3Schema: props},
			Subresources: &apiextv1.CustomResourceSubresources{Status: &apiextv1.CustomResourceSubresourceStatus{}},
		})
	}
	return crd
}

func structuralOf(v *apiextv1.CustomResourceDefinitionVersion) *structural.Structural {
	in := &apiext.CustomResourceValidation{}
	if err := apiextv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v.Schema, in, nil); err != nil {
		panic(err)
	}
	s, err := structural.NewStructural(in.OpenAPIV3Schema)
	if err != nil {
		panic(err)
	}
	return s
}

func newWorld(schemas map[string]object) (*world, error) {
	crd := definition(schemas)
	w := &world{schemas, map[string]*managedfields.FieldManager{}, map[string]*structural.Structural{}}
	served := map[string]bool{}
	merged, err := builder.MergeSpecsV3()
	for i, v := range crd.Spec.Versions {
		one, err := builder.BuildOpenAPIV3(crd, v.Name, builder.Options{})
		if err != nil {
			return nil, err
		}
		if merged, err = builder.MergeSpecsV3(merged, one); err != nil {
			return nil, err
		}
		w.defaults[v.Name] = structuralOf(&crd.Spec.Versions[i])
		served[v.Name] = true
	}
	types, err := managedfields.NewTypeConverter(merged.Components.Schemas, false)
	if err != nil {
		return nil, err
	}
	for _, v := range crd.Spec.Versions {
		gv := schema.GroupVersion{Group: "example.org", Version: v.Name}
		for sub, path := range map[string]string{"": "status", "status": "spec"} {
			reset := map[fieldpath.APIVersion]*fieldpath.Set{
				fieldpath.APIVersion(gv.String()): fieldpath.NewSet(fieldpath.MakePathOrDie(path))}
			m, err := managedfields.NewDefaultCRDFieldManager(types, convertor{served}, defaulter{w}, creator{},
				gv.WithKind("Widget"), gv, sub, fieldpath.NewExcludeFilterSetMap(reset))
			if err != nil {
				return nil, err
			}
			w.managers[v.Name+"/"+sub] = m
		}
	}
	return w, nil
}

// ---- one case: a live object and what is done to it ----

func tree(o object) *unstructured.Unstructured {
	text, _ := json.Marshal(o)
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(text); err != nil {
		panic(err)
	}
	return u
}

func plain(u *unstructured.Unstructured) object {
	out := object{}
	text, _ := json.Marshal(u.Object)
	json.Unmarshal(text, &out)
	return out
}

func failure(err error) object {
	st, ok := err.(apierrors.APIStatus)
	if !ok {
		return object{"code": 500, "message": err.Error()}
	}
	s := st.Status()
	causes := []any{}
	if s.Details != nil {
		for _, c := range s.Details.Causes {
			causes = append(causes, object{"field": c.Field, "message": c.Message})
		}
	}
	sort.Slice(causes, func(i, j int) bool { return show(causes[i]) < show(causes[j]) })
	return object{"code": int(s.Code), "message": s.Message, "causes": causes}
}

func emptyLive(version string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: object{}}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "example.org", Version: version, Kind: "Widget"})
	return u
}

// Plays one operation; live is nil before there is an object.
func (w *world) play(op object, live *unstructured.Unstructured) (out *unstructured.Unstructured, fail object) {
	version, _ := op["version"].(string)
	sub, _ := op["sub"].(string)
	manager, _ := op["manager"].(string)
	m := w.managers[version+"/"+sub]
	old := live
	if old == nil {
		old = emptyLive(version)
	} else {
		old = old.DeepCopy()
		old.SetAPIVersion("example.org/" + version)
	}
	given := tree(op["obj"].(object))
	var got runtime.Object
	var err error
	if op["op"] == "apply" {
		force, _ := op["force"].(bool)
		got, err = m.Apply(old, given, manager, force)
		if err != nil && !strings.HasPrefix(err.Error(), "failed to create typed patch") && !strings.HasPrefix(err.Error(), "Apply failed") {
			return nil, nil
		}
		if err != nil {
			return live, failure(err)
		}
	} else {
		if live != nil {
			given.SetUID(live.GetUID())
		}
		w.fill(given)
		switch op["fields"] {
		case "keep":
			given.SetManagedFields(old.GetManagedFields())
		case "none":
		case "empty":
			unstructured.SetNestedSlice(given.Object, []any{}, "metadata", "managedFields")
		case "reset":
			given.SetManagedFields([]metav1.ManagedFieldsEntry{{}})
		}
		if got, err = m.Update(old, given, manager); err != nil {
			return nil, nil
		}
	}
	next := got.(*unstructured.Unstructured)
	next.SetUID("u")
	next.SetAPIVersion("example.org/v1")
	return next, nil
}

func withoutTimes(o object) object {
	meta, _ := o["metadata"].(object)
	entries, _ := meta["managedFields"].([]any)
	for _, e := range entries {
		delete(e.(object), "time")
	}
	delete(meta, "creationTimestamp")
	return o
}

// What was v1's schema is v2's now, as when a definition changes.
func (w *world) swap() {
	changed := map[string]object{"v1": w.schemas["v2"], "v2": w.schemas["v1"]}
	next, err := newWorld(changed)
	if err != nil {
		panic(err)
	}
	*w = *next
}

// The object or the failure after each operation.
func (w *world) playAll(ops []any) []any {
	var live *unstructured.Unstructured
	out := []any{}
	for _, op := range ops {
		if op.(object)["op"] == "swap" {
			w.swap()
			continue
		}
		next, fail := w.play(op.(object), live)
		if next == nil && fail == nil {
			return nil // validation comes before that on a server
		}
		if fail != nil {
			out = append(out, object{"err": fail})
			continue
		}
		live = next
		out = append(out, object{"obj": withoutTimes(plain(live))})
	}
	return out
}

// ---- random operations ----

func metaValue(g gen) object {
	m := object{"name": "w", "namespace": "n"}
	if g.chance(3) {
		m["labels"] = object{g.of(texts): g.of(texts)}
	}
	if g.chance(4) {
		m["annotations"] = object{g.of(texts): g.of(texts)}
	}
	if g.chance(6) {
		m["finalizers"] = []any{"x/" + g.of(texts)}
	}
	return m
}

func candidate(g gen, s object) object {
	o := mapValue(g, s).(object)
	for _, part := range []string{"spec", "status"} {
		if o[part] == nil && !g.chance(5) {
			o[part] = mapValue(g, s["properties"].(object)[part].(object))
		}
	}
	return o
}

func randomOps(g gen, schemas map[string]object) []any {
	ops := []any{}
	managers := []string{"alice", "bob", "carol"}
	many := g.chance(12)
	n := 2 + g.r.Intn(7)
	if many {
		n = 14 + g.r.Intn(4)
	}
	for i := 0; i < n; i++ {
		version := "v1"
		if _, two := schemas["v2"]; two && g.chance(3) {
			version = "v2"
		}
		o := candidate(g, schemas[version])
		o["apiVersion"], o["kind"] = "example.org/"+version, "Widget"
		o["metadata"] = metaValue(g)
		op := object{"op": "apply", "version": version, "manager": g.of(managers), "obj": o}
		if g.chance(3) {
			op["force"] = true
		}
		if g.chance(3) || many {
			op["op"] = "update"
			op["fields"] = "keep"
			delete(op, "force")
			if g.chance(5) {
				op["fields"] = []string{"none", "empty", "reset"}[g.r.Intn(3)]
			}
		}
		if many {
			op["manager"] = fmt.Sprintf("m%02d", g.r.Intn(20))
		}
		if i > 0 && g.chance(4) {
			op["sub"] = "status"
		}
		if g.chance(40) && op["op"] == "apply" {
			o["spec"] = object{"unheard": "x"}
		}
		ops = append(ops, op)
		if schemas["v2"] != nil && g.chance(8) {
			ops = append(ops, object{"op": "swap"})
		}
	}
	return ops
}
