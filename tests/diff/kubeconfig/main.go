// Random sets of kubeconfig files, and what client-go makes of each: a table
// for tests/unit/kube/test_kubeconfig_recorded.c, a case a line.
//
//	go run . -seed 1 -n 300 >tests/unit/kube/data/kubeconfig.jsonl
//	go run . -proxy >tests/unit/kube/data/proxy.jsonl
package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/net/http/httpproxy"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

type obj = map[string]any

// A scalar as it stands, without quotes.
type raw string

// Members in an order of their own, so that names can come twice.
type member struct {
	key   string
	value any
}
type members []member

var r *rand.Rand

func pick[T any](v ...T) T { return v[r.Intn(len(v))] }

// A case is calm more often than not: nothing in it is wrong on purpose.
var calm bool

func mostly(bad []string, good ...string) string {
	if !calm && maybe(0.15) {
		return pick(bad...)
	}
	return pick(good...)
}
func maybe(p float64) bool { return r.Float64() < p }

var certPEM, keyPEM string

func flow(v any) string {
	switch x := v.(type) {
	case raw:
		return string(x)
	case string:
		b, _ := json.Marshal(x)
		return string(b)
	case []any:
		parts := []string{}
		for _, e := range x {
			parts = append(parts, flow(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case members:
		parts := []string{}
		for _, m := range x {
			parts = append(parts, m.key+": "+flow(m.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	panic(fmt.Sprintf("%T", v))
}

func block(b *strings.Builder, v any, indent string) {
	switch x := v.(type) {
	case members:
		if len(x) == 0 {
			b.WriteString(indent + "{}\n")
		}
		for _, m := range x {
			nested(b, m.key+":", m.value, indent)
		}
	case []any:
		for _, e := range x {
			if sub, ok := e.(members); ok && len(sub) > 0 {
				var in strings.Builder
				block(&in, e, indent+"  ")
				b.WriteString(indent + "- " + strings.TrimPrefix(in.String(), indent+"  "))
			} else {
				b.WriteString(indent + "- " + flow(e) + "\n")
			}
		}
	default:
		b.WriteString(indent + flow(v) + "\n")
	}
}

func nested(b *strings.Builder, head string, v any, indent string) {
	_, isMap := v.(members)
	l, isList := v.([]any)
	if maybe(0.3) || (!isMap && !isList) || (isList && len(l) == 0) || (isMap && len(v.(members)) == 0) {
		b.WriteString(indent + head + " " + flow(v) + "\n")
		return
	}
	b.WriteString(indent + head + pick("", "", " # why") + "\n")
	if isList && maybe(0.5) {
		block(b, v, indent)
	} else {
		block(b, v, indent+"  ")
	}
}

// Rarely something of another type.
func odd(v any) any {
	if calm || !maybe(0.006) {
		return v
	}
	return pick[any](raw("7"), raw("true"), raw("null"), raw("~"), raw("yes"), raw("1.5"),
		[]any{}, members{}, "", raw("0x1F"), raw("2001-01-01"), raw("no"), "text", raw("plain text"))
}

func add(m *members, p float64, key string, v any) {
	if maybe(p) || (calm && p > 0.95) {
		*m = append(*m, member{key, odd(v)})
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func cluster() any {
	m := members{}
	add(&m, 0.97, "server", mostly([]string{""}, "https://h:6443", "https://h:6443/", "http://h", "https://h/p/q", "https://h/p/?x=y#z",
		"h:6443", "h", "HTTPS://H", "https://[::1]:1", "https://h", "https://k", "https://l:7", "https://h//"))
	switch r.Intn(6) {
	case 0:
		add(&m, 1, "certificate-authority", mostly([]string{"none.pem"}, "ca.pem", "./ca.pem", "sub/ca.pem", "ca.pem", "$DIR/ca.pem"))
	case 1, 2:
		add(&m, 1, "certificate-authority-data", mostly([]string{"%%%"}, b64(certPEM)))
	case 3:
		add(&m, 0.3, "certificate-authority", "ca.pem")
		add(&m, 0.3, "certificate-authority-data", b64(certPEM))
		add(&m, 0.5, "insecure-skip-tls-verify", raw(mostly([]string{"\"true\""}, "true", "false", "yes")))
	}
	add(&m, 0.15, "insecure-skip-tls-verify", raw(pick("false", "false", "False", "off", "true")))
	add(&m, 0.2, "tls-server-name", pick("real", "a.b", ""))
	add(&m, 0.2, "proxy-url", mostly([]string{"ftp://p", "p:1", "socks5h://p"}, "http://p:1", "https://p", "socks5://p:9", "http://u:w@p:3"))
	add(&m, 0.2, "disable-compression", raw(pick("true", "false")))
	add(&m, 0.1, "api-version", "v1")
	add(&m, 0.2, "extensions", []any{members{{"name", "client.authentication.k8s.io/exec"}, {"extension", members{{"k", "v"}}}},
		members{{"name", mostly([]string{"client.authentication.k8s.io/exec"}, "other")}, {"extension", members{{"z", raw("1")}}}}})
	return odd(m)
}

func exec() any {
	m := members{}
	add(&m, 0.97, "apiVersion", "client.authentication.k8s.io/"+mostly([]string{"v1alpha1"}, "v1", "v1beta1"))
	add(&m, 0.97, "command", pick("plugin", "./plugin", "sub/plugin", "/bin/plugin"))
	add(&m, 0.5, "args", []any{"a", "b c"})
	add(&m, 0.5, "env", []any{members{{"name", "N"}, {"value", "v=1"}}, members{{"name", mostly([]string{""}, "M")}, {"value", ""}}})
	add(&m, 0.3, "installHint", pick("get it", "a\nb"))
	add(&m, 0.9, "interactiveMode", mostly([]string{"Sometimes"}, "Never", "IfAvailable", "Always"))
	add(&m, 0.3, "provideClusterInfo", raw(pick("true", "false")))
	return odd(m)
}

func user() any {
	m := members{}
	switch r.Intn(9) {
	case 0:
		add(&m, 1, "token", pick("t0ken", "", "t0k"))
	case 1:
		add(&m, 1, "tokenFile", mostly([]string{"none"}, "token", "$DIR/token", "sub/token"))
		add(&m, 0.4, "token", "t1")
	case 2:
		add(&m, 0.9, "username", "u")
		add(&m, 0.9, "password", pick("p", ":", ""))
	case 3:
		add(&m, 0.97, "client-certificate", mostly([]string{"none.pem"}, "cert.pem", "$DIR/cert.pem", "./cert.pem", "ca.pem"))
		add(&m, 0.97, "client-key", mostly([]string{"none.pem"}, "key.pem"))
	case 4:
		add(&m, 0.97, "client-certificate-data", mostly([]string{"*"}, b64(certPEM)))
		add(&m, 0.97, "client-key-data", b64(keyPEM))
	case 5:
		add(&m, 1, "exec", exec())
		add(&m, 0.1, "auth-provider", members{{"name", "gcp"}})
		add(&m, 0.1, "token", "t2")
	case 6:
		add(&m, 0.5, "token", "t3")
		add(&m, 0.5, "username", "u")
		add(&m, 0.2, "client-certificate", "cert.pem")
		add(&m, 0.2, "client-certificate-data", b64(certPEM))
		add(&m, 0.2, "client-key", "key.pem")
		add(&m, 0.2, "client-key-data", b64(keyPEM))
	case 7:
		add(&m, 0.2, "auth-provider", members{{"name", pick("oidc", "gcp", "azure")}, {"config", members{{"k", "v"}}}})
	}
	if maybe(0.25) {
		add(&m, 0.8, "as", pick("x", "system:y"))
		add(&m, 0.4, "as-uid", "u1")
		add(&m, 0.4, "as-groups", []any{"g1", "g2"})
		add(&m, 0.4, "as-user-extra", members{{"k1", []any{"v1", "v2"}}, {"k.2", []any{"w"}}})
		add(&m, 0.1, "act-as", "old")
	}
	return odd(m)
}

func list(section, key string, names []string, make func() any) member {
	l := []any{}
	used := map[string]bool{}
	for i := pick(1, 2, 3, 3, 4, 5); i > 0; i-- {
		name := pick(names...)
		if used[name] && (calm || !maybe(0.1)) {
			continue
		}
		used[name] = true
		e := members{}
		add(&e, 0.98, "name", name)
		add(&e, 0.98, key, make())
		l = append(l, odd(e))
	}
	return member{section, odd(l)}
}

func context() any {
	m := members{}
	add(&m, 0.97, "cluster", mostly([]string{"c3"}, "c1", "c2"))
	add(&m, 0.9, "user", mostly([]string{"u3"}, "u1", "u2"))
	add(&m, 0.4, "namespace", pick("ns1", "ns-2", ""))
	return odd(m)
}

func file() string {
	switch r.Intn(50) + map[bool]int{true: 3}[calm] {
	case 0:
		return ""
	case 1:
		return "# nothing\n"
	case 2:
		return pick("[]", "text", "a: b: c", "\tx: 1", "{", "a: 1\n  b: 2\n", "kind: Config\nkind: Config\n", "---\n", "apiVersion: v2\n",
			"kind: Pod\n", "kind: Config\napiVersion: apps/v1\n", "clusters: {}\n", "null\n", "7\n", "a: &x 1\nb: *y\n")
	}
	m := members{}
	add(&m, 0.8, "apiVersion", "v1")
	add(&m, 0.8, "kind", "Config")
	add(&m, 0.6, "current-context", mostly([]string{"k4"}, "k1", "k2"))
	add(&m, 0.3, "preferences", members{})
	parts := []member{
		list("clusters", "cluster", []string{"c1", "c2"}, cluster),
		list("users", "user", []string{"u1", "u2"}, user),
		list("contexts", "context", []string{"k1", "k2"}, context),
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	for _, p := range parts {
		if calm || maybe(0.97) {
			m = append(m, p)
		}
	}
	if maybe(0.05) {
		m = append(m, member{pick("current-context", "unknown", "clusters"), "k1"})
	}
	if maybe(0.2) {
		return flow(m)
	}
	var b strings.Builder
	block(&b, m, "")
	return b.String()
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func put(o obj, key string, v any) {
	switch x := v.(type) {
	case string:
		if x != "" {
			o[key] = x
		}
	case bool:
		if x {
			o[key] = x
		}
	case []string:
		if len(x) > 0 {
			o[key] = x
		}
	}
}

func data(b []byte, file string) string {
	if len(b) > 0 || file == "" {
		return string(b)
	}
	b, _ = os.ReadFile(file)
	return string(b)
}

func want(c *rest.Config, ns string) obj {
	u, _, _ := rest.DefaultServerUrlFor(c)
	o := obj{"ns": ns, "server": u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/")}
	put(o, "ca", data(c.CAData, c.CAFile))
	put(o, "cert", data(c.CertData, c.CertFile))
	put(o, "key", data(c.KeyData, c.KeyFile))
	put(o, "token", c.BearerToken)
	put(o, "tokenFile", c.BearerTokenFile)
	put(o, "username", c.Username)
	put(o, "password", c.Password)
	put(o, "serverName", c.ServerName)
	put(o, "insecure", c.Insecure)
	put(o, "noCompression", c.DisableCompression)
	put(o, "as", c.Impersonate.UserName)
	put(o, "asUID", c.Impersonate.UID)
	put(o, "asGroups", c.Impersonate.Groups)
	extra := []string{}
	for k, v := range c.Impersonate.Extra {
		for _, e := range v {
			extra = append(extra, k+"="+e)
		}
	}
	sort.Strings(extra)
	put(o, "asExtra", extra)
	if c.Proxy != nil {
		u, _ := c.Proxy(nil)
		put(o, "proxy", u.String())
	}
	if x := c.ExecProvider; x != nil && c.BearerToken == "" && c.Username == "" && c.CertFile == "" && len(c.CertData) == 0 {
		e := obj{}
		put(e, "apiVersion", x.APIVersion)
		put(e, "command", x.Command)
		put(e, "args", x.Args)
		env := []string{}
		for _, v := range x.Env {
			env = append(env, v.Name+"="+v.Value)
		}
		put(e, "env", env)
		put(e, "hint", x.InstallHint)
		put(e, "interactive", string(x.InteractiveMode))
		put(e, "info", x.ProvideClusterInfo)
		if x.Config != nil {
			b, _ := json.Marshal(x.Config)
			put(e, "config", string(b))
		}
		o["exec"] = e
	}
	return o
}

func current(c *clientcmdapi.Config, asked string) string {
	if asked != "" {
		return asked
	}
	return c.CurrentContext
}

func one(dir string, seed int64) obj {
	r = rand.New(rand.NewSource(seed))
	calm = maybe(0.6)
	files, paths := obj{}, []string{}
	os.RemoveAll(dir)
	os.MkdirAll(dir+"/sub", 0o755)
	for name, s := range map[string]string{"ca.pem": certPEM, "sub/ca.pem": certPEM, "cert.pem": certPEM, "key.pem": keyPEM, "token": "from-file", "sub/token": "from-sub"} {
		os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600)
	}
	for i, n := 0, 1+r.Intn(3); i < n; i++ {
		name := pick("a", "b", "sub/c", "d")
		if _, there := files[name]; !there && (calm || maybe(0.95)) {
			s := file()
			files[name] = s
			os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(s, "$DIR", dir)), 0o600)
		}
		paths = append(paths, name)
	}
	env := []string{}
	for _, p := range paths {
		env = append(env, pick(dir+"/"+p, dir+"/"+p, dir+"/"+p, dir+"/"+p, dir+"/"+p, dir+"/"+p, ""))
	}
	os.Setenv("KUBECONFIG", strings.Join(env, ":"))
	asked := mostly([]string{"k9"}, "", "k1", "k2")
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	cc := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: asked})
	o := obj{"seed": seed, "files": files, "env": strings.Join(env, ":"), "context": asked}
	c, err := cc.ClientConfig()
	var ns string
	if err == nil {
		ns, _, err = cc.Namespace()
	}
	if err == nil {
		_, err = rest.HTTPClientFor(c)
	}
	// kubectl asks for a name and a password at the terminal then; ours says
	// that the user is not there.
	if raw, _ := cc.RawConfig(); err == nil && current(&raw, asked) == "" {
		err = fmt.Errorf("(ours) there is no current context")
	}
	if raw, _ := cc.RawConfig(); err == nil && raw.Contexts[current(&raw, asked)] != nil {
		if u := raw.Contexts[current(&raw, asked)].AuthInfo; u != "" && raw.AuthInfos[u] == nil {
			err = fmt.Errorf("(ours) user %q is not there", u)
		}
	}
	if err != nil {
		o["error"] = err.Error()
	} else {
		o["want"] = want(c, ns)
	}
	return o
}

func proxies() {
	hosts := []string{"https://api.example.com:6443", "http://api.example.com", "https://127.0.0.1:6443", "https://localhost", "https://10.1.2.3", "https://[::1]:6443", "https://[fd00::1]:6443", "https://example.com", "https://a.b.example.com:8443"}
	no := []string{"", "*", "example.com", ".example.com", "*.example.com", "api.example.com", "api.example.com:6443", "api.example.com:1", "10.0.0.0/8", "10.1.2.3", "10.1.2.3:443", "fd00::/8", "fd00::1", "[fd00::1]:6443", " api.example.com , other", "EXAMPLE.COM", "example", "com", ",,", "https://api.example.com", "10.1.2.0/24x"}
	env := []httpproxy.Config{{}, {HTTPSProxy: "http://p:1"}, {HTTPProxy: "http://p:1"}, {HTTPSProxy: "p:1"}, {HTTPSProxy: "socks5://p:1"}, {HTTPSProxy: "https://u:w@p"}, {HTTPSProxy: "://"}, {HTTPSProxy: "ftp://p"}, {HTTPProxy: "http://p:1", CGI: true}}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, e := range env {
		for _, n := range no {
			if n != "" && e.HTTPSProxy != "http://p:1" {
				continue
			}
			for _, h := range hosts {
				e.NoProxy = n
				u, _ := url.Parse(h)
				got, err := e.ProxyFunc()(u)
				o := obj{"https": e.HTTPSProxy, "http": e.HTTPProxy, "no": n, "cgi": e.CGI, "url": h, "proxy": ""}
				if err != nil {
					o["error"] = err.Error()
				} else if got != nil {
					o["proxy"] = got.String()
				}
				out.Encode(o)
			}
		}
	}
}

func main() {
	seed := flag.Int64("seed", 1, "first seed")
	n := flag.Int("n", 300, "cases")
	proxy := flag.Bool("proxy", false, "proxies of the environment instead")
	pem := flag.String("pem", "tests/unit/kube/data", "folder of cert.pem and key.pem")
	flag.Parse()
	if *proxy {
		proxies()
		return
	}
	for p, to := range map[string]*string{"cert.pem": &certPEM, "key.pem": &keyPEM} {
		b, err := os.ReadFile(filepath.Join(*pem, p))
		if err != nil {
			panic(err)
		}
		*to = string(b)
	}
	dir, _ := os.MkdirTemp("", "kubeconfigs")
	defer os.RemoveAll(dir)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for i := int64(0); i < int64(*n); i++ {
		o := one(dir, *seed+i)
		b, _ := json.Marshal(o)
		s := strings.ReplaceAll(string(b), dir, "$DIR")
		s = strings.ReplaceAll(s, strings.ReplaceAll(jsonText(certPEM), dir, dir), "$CERT")
		s = strings.ReplaceAll(s, jsonText(keyPEM), "$KEY")
		s = strings.ReplaceAll(s, b64(certPEM), "$B64CERT")
		s = strings.ReplaceAll(s, b64(keyPEM), "$B64KEY")
		fmt.Println(s)
	}
}

func jsonText(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}
