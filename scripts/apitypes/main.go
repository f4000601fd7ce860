// Prints assets/api/types.txt: the types of the built-in kinds as one compact
// table (devenv/sandbox/types.h says how it is read). What Go's types say
// (names, protobuf numbers, patch keys, what is left out when empty) comes from
// k8s.io/api itself, what they do not say (list types, required members,
// choices) from a real server's /openapi/v3, whose documents lie in the folder
// given; defaults are listed in defaults.txt.
// usage: go run . FOLDER-OF-OPENAPI-DOCUMENTS >../../assets/api/types.txt
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	apiext "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	apireg "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

var versions = []string{"v1", "admissionregistration.k8s.io/v1",
	"apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1", "apps/v1",
	"authentication.k8s.io/v1", "authorization.k8s.io/v1", "autoscaling/v1",
	"autoscaling/v2", "batch/v1", "certificates.k8s.io/v1",
	"coordination.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1",
	"networking.k8s.io/v1", "node.k8s.io/v1", "policy/v1",
	"rbac.authorization.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1"}

// Kinds without a resource of their own that are not sent either.
var skipped = map[string]bool{"RangeAllocation": true, "NodeProxyOptions": true,
	"PodAttachOptions": true, "PodExecOptions": true, "PodLogOptions": true,
	"PodPortForwardOptions": true, "PodProxyOptions": true,
	"ServiceProxyOptions": true, "PodStatusResult": true,
	"SerializedReference": true, "ComponentStatus": true, "WatchEvent": true,
	"ConversionReview": true, "IPAddress": true, "ServiceCIDR": true,
	"CSINode": true, "CSIDriver": true, "CSIStorageCapacity": true,
	"VolumeAttachment": true, "VolumeAttributesClass": true}

// A schema of OpenAPI v3, as far as it matters here.
type doc struct {
	Properties           map[string]*doc
	Required             []string
	Enum                 []string
	Items                *doc
	AdditionalProperties *doc
	ListType             string   `json:"x-kubernetes-list-type"`
	ListKeys             []string `json:"x-kubernetes-list-map-keys"`
	MapType              string   `json:"x-kubernetes-map-type"`
	Default              any
}

func (d *doc) UnmarshalJSON(b []byte) error {
	type plain doc
	if b[0] != '{' { // additionalProperties: true
		return nil
	}
	_ = json.Unmarshal(b, (*plain)(d)) // enums of other types do not matter
	return nil
}

var docs = map[string]*doc{}
var defaults = map[string]string{}
var done = map[reflect.Type]bool{}
var queue []reflect.Type

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func readDocs(folder string) {
	files, err := filepath.Glob(folder + "/*.json")
	must(err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(err)
		var d struct {
			Components struct{ Schemas map[string]*doc }
		}
		must(json.Unmarshal(b, &d))
		for name, s := range d.Components.Schemas {
			docs[name] = s
		}
	}
}

func readDefaults(path string) {
	f, err := os.Open(path)
	must(err)
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		if len(w) == 3 && w[0][0] != '#' {
			defaults[w[0]+" "+w[1]] = w[2]
		}
	}
}

var roots = [][3]string{
	{"k8s.io/apimachinery/pkg/apis/", "", "io.k8s.apimachinery.pkg.apis."},
	{"k8s.io/apiextensions-apiserver/pkg/apis/", "", "io.k8s.apiextensions-apiserver.pkg.apis."},
	{"k8s.io/kube-aggregator/pkg/apis/", "", "io.k8s.kube-aggregator.pkg.apis."},
	{"k8s.io/api/", "", "io.k8s.api."},
}

// "core.v1.PodSpec", and its name in OpenAPI.
func names(t reflect.Type) (string, string) {
	for _, r := range roots {
		if p, ok := strings.CutPrefix(t.PkgPath(), r[0]); ok {
			short := strings.ReplaceAll(p, "/", ".") + "." + t.Name()
			return short, r[2] + short
		}
	}
	panic("unknown package " + t.PkgPath())
}

var plain = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                                             "t",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                                        "u",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                                         "d",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                                         "f",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                       "x",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                                         "q",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                          "r",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "j",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "A",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "O",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "S",
}

// The letters of a type; what it refers to is put in line.
func letters(t reflect.Type) string {
	if p, ok := plain[t.PkgPath()+"."+t.Name()]; ok {
		return p
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + letters(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "B"
		}
		return "[" + letters(t.Elem())
	case reflect.Map:
		return "{" + letters(t.Elem())
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32:
		return "i"
	case reflect.Int64, reflect.Int:
		return "l"
	case reflect.Float64:
		return "n"
	case reflect.Struct:
		queue = append(queue, t)
		short, _ := names(t)
		return short
	}
	panic("unknown type " + t.String())
}

// "v1.Protocol" where Go's error texts say so: a named string or number.
func named(t reflect.Type) string {
	for t.Kind() == reflect.Pointer || (t.Kind() == reflect.Slice && t.Name() == "") || (t.Kind() == reflect.Map && t.Name() == "") {
		t = t.Elem()
	}
	if t.PkgPath() != "" && t.Kind() != reflect.Struct {
		return t.String()
	}
	return ""
}

func tagValue(tag, name string) string {
	for _, w := range strings.Split(tag, ",") {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

func field(f reflect.StructField, short string, d *doc, up *doc) string {
	js := strings.Split(f.Tag.Get("json"), ",")
	pb := strings.Split(f.Tag.Get("protobuf"), ",")
	number := "0"
	if len(pb) > 1 {
		number = pb[1]
	}
	if js[0] == "-" {
		return ""
	}
	if js[0] == "" {
		if f.Type == reflect.TypeOf(metav1.TypeMeta{}) {
			return ""
		}
		return fmt.Sprintf("- %s %s\n", number, letters(f.Type))
	}
	out := fmt.Sprintf("%s %s %s", js[0], number, letters(f.Type))
	if !strings.Contains(f.Tag.Get("json"), ",omitempty") {
		out += " +"
	}
	if strings.Contains(f.Tag.Get("json"), ",omitzero") {
		out = strings.TrimSuffix(out, " +") + " z"
	}
	for _, r := range up.Required {
		if r == js[0] {
			out += " !"
		}
	}
	if v := named(f.Type); v != "" {
		out += " g" + v
	}
	if d == nil {
		d = &doc{}
	}
	if d.MapType == "atomic" {
		out += " a"
	}
	switch d.ListType {
	case "set":
		out += " k"
	case "map":
		out += " k" + strings.Join(d.ListKeys, ",")
	}
	strategy := f.Tag.Get("patchStrategy")
	if strings.Contains(strategy, "merge") {
		out += " m" + f.Tag.Get("patchMergeKey")
	}
	if strings.Contains(strategy, "retainKeys") {
		out += " R"
	}
	enum := d.Enum
	if len(enum) == 0 && d.Items != nil {
		enum = d.Items.Enum
	}
	if js[0] == "restartPolicy" && len(enum) == 3 {
		enum = []string{"Always", "OnFailure", "Never"} // as errors list them
	}
	if len(enum) > 0 {
		out += " e" + strings.ReplaceAll(strings.Join(enum, "|"), " ", "~")
	}
	if v, ok := defaults[short+" "+js[0]]; ok {
		out += " =" + strings.Trim(v, "\"")
		delete(defaults, short+" "+js[0])
	}
	return out + "\n"
}

func print(t reflect.Type, kind string) {
	if done[t] {
		return
	}
	done[t] = true
	short, long := names(t)
	d := docs[long]
	if d == nil {
		d = &doc{}
	}
	line := "@" + short
	if d.MapType == "atomic" {
		line += " a"
	}
	fmt.Println(line + kind)
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		name := strings.Split(f.Tag.Get("json"), ",")[0]
		fmt.Print(field(f, short, d.Properties[name], d))
	}
}

func main() {
	readDocs(os.Args[1])
	readDefaults("defaults.txt")
	must(apiext.AddToScheme(scheme.Scheme))
	must(apireg.AddToScheme(scheme.Scheme))
	type root struct {
		gvk schema.GroupVersionKind
		t   reflect.Type
	}
	var all []root
	for _, v := range versions {
		gv, err := schema.ParseGroupVersion(v)
		must(err)
		for kind, t := range scheme.Scheme.KnownTypes(gv) {
			if !skipped[kind] && !strings.HasPrefix(t.PkgPath(), "k8s.io/apimachinery") && !strings.HasSuffix(kind, "List") {
				all = append(all, root{gv.WithKind(kind), t})
			}
		}
	}
	all = append(all, root{schema.GroupVersionKind{Version: "v1", Kind: "DeleteOptions"}, reflect.TypeOf(metav1.DeleteOptions{})})
	sort.Slice(all, func(i, j int) bool { return all[i].gvk.String() < all[j].gvk.String() })
	for _, r := range all {
		print(r.t, " "+r.gvk.GroupVersion().String()+" "+r.gvk.Kind)
	}
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		print(t, "")
	}
	for k := range defaults {
		fmt.Fprintln(os.Stderr, "no field for the default of", k)
	}
	_ = runtime.RawExtension{}
}
