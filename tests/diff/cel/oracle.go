package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

// Everything that the version knows, as rules are read that are stored.
var base = environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion(), true).StoredExpressionsEnv()

func text(s string) *string { return &s }

func program(env *cel.Env, e string) (cel.Program, string, *string) {
	ast, issues := env.Compile(e)
	if issues != nil && issues.Err() != nil {
		return nil, "", text(issues.String())
	}
	p, err := env.Program(ast, cel.CostTracking(&library.CostEstimator{}))
	if err != nil {
		return nil, "", text("program: " + err.Error())
	}
	return p, ast.OutputType().String(), nil
}

// oracle says what is right.
func oracle(q question) (a answer) {
	values := map[string]any{}
	options := []cel.EnvOption{}
	for n, e := range q.Bindings {
		p, _, why := program(base, e)
		if why != nil {
			check(fmt.Errorf("%s: %s", e, *why))
		}
		v, _, err := p.Eval(interpreter.EmptyActivation())
		check(err)
		values[n] = v
		options = append(options, cel.Variable(n, cel.DynType))
	}
	env, err := base.Extend(options...)
	check(err)
	p, kind, why := program(env, q.Expression)
	if why != nil {
		return answer{Complaint: why}
	}
	v, details, err := p.Eval(values)
	a.Type = kind
	if details != nil && details.ActualCost() != nil {
		a.Cost = *details.ActualCost()
	}
	if err != nil {
		a.Error = text(err.Error())
		return a
	}
	a.Value = text(show(v))
	return a
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	check(e.Encode(s))
	return strings.TrimSuffix(b.String(), "\n")
}

// show writes a value as tests/unit/schema/cel_show.h does.
func show(v ref.Val) string {
	switch x := v.(type) {
	case types.String:
		return quoted(string(x))
	case types.Bytes:
		return `b"` + base64.StdEncoding.EncodeToString(x) + `"`
	case types.Uint:
		return fmt.Sprintf("%du", uint64(x))
	case types.Duration:
		return fmt.Sprintf("duration(%d)", x.Duration.Nanoseconds())
	case types.Double, types.Timestamp:
		return fmt.Sprintf("%s(%s)", map[bool]string{true: "double", false: "timestamp"}[v.Type() == types.DoubleType],
			v.ConvertToType(types.StringType).Value())
	case *types.Type:
		return "type(" + x.TypeName() + ")"
	case *types.Optional:
		if !x.HasValue() {
			return "none"
		}
		return "optional(" + show(x.GetValue()) + ")"
	case types.Null:
		return "null"
	case types.Bool, types.Int:
		return fmt.Sprint(x.Value())
	case traits.Lister:
		items := []string{}
		for it := x.Iterator(); it.HasNext() == types.True; {
			items = append(items, show(it.Next()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case traits.Mapper:
		members := []string{}
		for it := x.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			members = append(members, show(k)+": "+show(x.Get(k)))
		}
		sort.Strings(members)
		return "{" + strings.Join(members, ", ") + "}"
	case apiservercel.Quantity:
		return "quantity(" + x.Quantity.String() + ")"
	case *apiservercel.Quantity:
		return "quantity(" + x.Quantity.String() + ")"
	case apiservercel.URL:
		return "url(" + x.URL.String() + ")"
	case apiservercel.IP:
		return "ip(" + x.Addr.String() + ")"
	case apiservercel.CIDR:
		return "cidr(" + x.Prefix.String() + ")"
	case apiservercel.Semver:
		return "semver(" + x.Version.String() + ")"
	case apiservercel.Format:
		return "format(" + x.Name + ")"
	case *apiservercel.Format:
		return "format(" + x.Name + ")"
	}
	return fmt.Sprintf("?%T", v)
}
