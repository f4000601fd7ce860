package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	exprpb "cel.dev/expr"
	_ "cel.dev/expr/conformance/proto2"
	_ "cel.dev/expr/conformance/proto3"
	testpb "cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// An expression that makes a message.
var message = regexp.MustCompile(`google\.protobuf\.\w+ *\{|TestAllTypes|NestedTestAllTypes`)

// literal writes a value of the suite as an expression; false: it is a message.
func literal(v *exprpb.Value) (string, bool) {
	switch k := v.GetKind().(type) {
	case *exprpb.Value_NullValue:
		return "null", true
	case *exprpb.Value_BoolValue:
		return fmt.Sprint(k.BoolValue), true
	case *exprpb.Value_Int64Value:
		return fmt.Sprint(k.Int64Value), true
	case *exprpb.Value_Uint64Value:
		return fmt.Sprintf("%du", k.Uint64Value), true
	case *exprpb.Value_DoubleValue:
		d := k.DoubleValue
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return fmt.Sprintf("double('%v')", d), true
		}
		return fmt.Sprintf("double('%s')", strings.TrimSuffix(fmt.Sprintf("%.17g", d), ".0")), true
	case *exprpb.Value_StringValue:
		return literalText(k.StringValue, ""), true
	case *exprpb.Value_BytesValue:
		return literalText(string(k.BytesValue), "b"), true
	case *exprpb.Value_TypeValue:
		return k.TypeValue, !strings.Contains(k.TypeValue, ".") || strings.HasPrefix(k.TypeValue, "google.protobuf.T") || strings.HasPrefix(k.TypeValue, "google.protobuf.D")
	case *exprpb.Value_ListValue:
		items := []string{}
		for _, e := range k.ListValue.Values {
			t, ok := literal(e)
			if !ok {
				return "", false
			}
			items = append(items, "dyn("+t+")")
		}
		return "[" + strings.Join(items, ", ") + "]", true
	case *exprpb.Value_MapValue:
		members := []string{}
		for _, e := range k.MapValue.Entries {
			key, ok := literal(e.Key)
			t, fine := literal(e.Value)
			if !ok || !fine {
				return "", false
			}
			members = append(members, "dyn("+key+"): dyn("+t+")")
		}
		return "{" + strings.Join(members, ", ") + "}", true
	case *exprpb.Value_ObjectValue:
		m, err := k.ObjectValue.UnmarshalNew()
		if err != nil {
			return "", false
		}
		switch x := m.(type) {
		case *durationpb.Duration:
			return fmt.Sprintf("duration('%dns')", x.AsDuration().Nanoseconds()), true
		case *timestamppb.Timestamp:
			return fmt.Sprintf("timestamp('%s')", x.AsTime().Format("2006-01-02T15:04:05.999999999Z07:00")), true
		}
	}
	return "", false
}

func literalText(s, prefix string) string {
	var b strings.Builder
	b.WriteString(prefix + "'")
	if prefix != "" {
		for i := 0; i < len(s); i++ {
			fmt.Fprintf(&b, "\\x%02x", s[i])
		}
	} else {
		for _, r := range s {
			if r < ' ' || r == '\'' || r == '\\' || r > '~' {
				fmt.Fprintf(&b, "\\U%08x", r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteString("'")
	return b.String()
}

// expected is what the suite wants; "" if that is none of our values.
func expected(t *testpb.SimpleTest) string {
	var v *exprpb.Value
	switch m := t.ResultMatcher.(type) {
	case *testpb.SimpleTest_Value:
		v = m.Value
	case *testpb.SimpleTest_TypedResult:
		if v = m.TypedResult.Result; v == nil {
			return ""
		}
	case *testpb.SimpleTest_EvalError:
		return "an error"
	case nil:
		return "true"
	default:
		return ""
	}
	l, ok := literal(v)
	if !ok {
		return ""
	}
	p, _, why := program(base, l)
	if why != nil {
		return ""
	}
	r, _, err := p.Eval(map[string]any{})
	if err != nil {
		return ""
	}
	return show(r)
}

func asked(t *testpb.SimpleTest) (question, bool) {
	q := question{Expression: t.Expr, Bindings: map[string]string{}}
	if t.DisableMacros || t.Container != "" || message.MatchString(t.Expr) || strings.Contains(t.Expr, "\x00") {
		return q, false
	}
	for n, v := range t.Bindings {
		l, ok := literal(v.GetValue())
		if !ok || strings.Contains(n, ".") {
			return q, false
		}
		q.Bindings[n] = l
	}
	for _, d := range t.TypeEnv {
		if d.GetIdent() == nil || q.Bindings[d.Name] == "" {
			return q, false
		}
	}
	return q, true
}

// pleases: is the right answer the one that the suite wants?
func pleases(want string, a answer) bool {
	switch want {
	case "":
		return true
	case "an error":
		return a.Value == nil
	}
	return a.Value != nil && *a.Value == want
}

func suiteFiles() []string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "cel.dev/expr").Output()
	check(err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "tests/simple/testdata/*.textproto"))
	check(err)
	sort.Strings(files)
	return files
}

// runSuite asks every case that needs no messages. That Kubernetes answers
// otherwise than the suite wants is counted by file, and is no difference.
func runSuite(o *ours) int {
	differ, all := 0, 0
	for _, path := range suiteFiles() {
		b, err := os.ReadFile(path)
		check(err)
		var f testpb.SimpleTestFile
		check(prototext.Unmarshal(b, &f))
		asks, left, refused, other, bad := 0, 0, 0, 0, 0
		for _, s := range f.Section {
			for _, t := range s.Test {
				q, ok := asked(t)
				if !ok {
					left++
					continue
				}
				asks++
				right, same := compare(f.Name+"/"+s.Name+"/"+t.Name, o, q)
				if !same {
					bad++
				}
				if right.Complaint != nil && expected(t) != "an error" {
					refused++
				} else if !pleases(expected(t), right) {
					other++
					fmt.Printf("%s/%s/%s: %s: the suite wants %s, Kubernetes %s\n", f.Name, s.Name, t.Name, q.Expression, expected(t), right)
				}
			}
		}
		fmt.Printf("# %-16s %4d asked, %3d left out, %3d refused by Kubernetes, %d answered otherwise; %d differ\n",
			f.Name, asks, left, refused, other, bad)
		differ += bad
		all += asks
	}
	fmt.Printf("# %d cases, %d differ\n", all, differ)
	return differ
}
