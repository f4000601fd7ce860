// diff runs random templates and patches through lib/compose and through the
// real functions, and tells where they differ.
//
// usage: diff -ours PROGRAM -functions FOLDER [-seconds N] [-seed N] [-only NAME]
//
// PROGRAM is tests/tools/compose_lines; FOLDER holds the functions' binaries
// (function-go-templating, function-patch-and-transform). A case is a function
// of the seed and its number alone: -seed and -case run one again, and print
// it. Exit 1: there were differences.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
)

// A subject is a function and what makes requests for it.
type subject struct {
	name     string
	generate func(r *rand.Rand) *fnv1.RunFunctionRequest
	client   fnv1.FunctionRunnerServiceClient
	stop     func()
	cases    int
	fatal    int
	differ   int
	crashed  int // cases at which the real one ended or hung
}

// ours is our side: one line there, one line back.
type ours struct {
	in  io.Writer
	out *bufio.Reader
}

func startOurs(program string) (*ours, error) {
	c := exec.Command(program)
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Stderr = os.Stderr
	return &ours{in, bufio.NewReaderSize(out, 1<<20)}, c.Start()
}

func (o *ours) run(name string, req *fnv1.RunFunctionRequest) (map[string]any, error) {
	text, err := protojson.Marshal(req)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(map[string]any{"fn": name, "req": json.RawMessage(text)})
	if err != nil {
		return nil, err
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	answer, err := o.out.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	v := struct {
		Rsp map[string]any `json:"rsp"`
		Err string         `json:"err"`
	}{}
	if err := json.Unmarshal(answer, &v); err != nil {
		return nil, fmt.Errorf("%w: %s", err, answer)
	}
	return v.Rsp, nil
}

// start starts the real function on a port of its own and connects to it.
func (s *subject) start(folder string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	_ = l.Close()
	c := exec.Command(filepath.Join(folder, s.name), "--insecure", "--address", address)
	if err := c.Start(); err != nil {
		return err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	s.client = fnv1.NewFunctionRunnerServiceClient(conn)
	s.stop = func() { _ = conn.Close(); _ = c.Process.Kill(); _ = c.Wait() }
	return err
}

func (s *subject) real(req *fnv1.RunFunctionRequest) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	rsp, err := s.client.RunFunction(ctx, req)
	if err != nil {
		return nil, err
	}
	text, err := protojson.Marshal(rsp)
	if err != nil {
		return nil, err
	}
	v := map[string]any{}
	return v, json.Unmarshal(text, &v)
}

// ---- both answers in one form ----

const errorMax = 800

var severities = map[string]float64{"SEVERITY_FATAL": 1, "SEVERITY_WARNING": 2, "SEVERITY_NORMAL": 3}

func list(v map[string]any, key string) []any {
	l, _ := v[key].([]any)
	return l
}

func text(v any) string {
	s, _ := v.(string)
	// protobuf varies the spaces of its errors on purpose, from build to build,
	// and the JSON package the verb of its.
	s = strings.ReplaceAll(s, "json: unable to ", "json: cannot ")
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), " ")
}

// result is severity and message; a fatal one ends what can be compared.
func results(v map[string]any) (out []string, fatal bool) {
	for _, r := range list(v, "results") {
		m := r.(map[string]any)
		n, _ := m["severity"].(float64)
		if s, is := m["severity"].(string); is {
			n = severities[s]
		}
		message := text(m["message"])
		if len(message) > errorMax { // docs/FUNCTIONS.md: ours are cut
			message = message[:errorMax]
		}
		out = append(out, fmt.Sprintf("%v %s", n, message))
		fatal = fatal || n == 1
	}
	return out, fatal
}

// compact drops what is empty: absent and empty are the same on the wire.
func compact(v any) any {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		if ok {
			return nil
		}
		return v
	}
	out := map[string]any{}
	for k, x := range m {
		if c := compact(x); c != nil {
			out[k] = c
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func conditions(v map[string]any) (out []string) {
	targets := map[any]int{"TARGET_COMPOSITE_AND_CLAIM": 1, 1.0: 1}
	statuses := map[any]string{"STATUS_CONDITION_TRUE": "True", "STATUS_CONDITION_FALSE": "False",
		"STATUS_CONDITION_UNKNOWN": "Unknown"}
	for _, c := range list(v, "conditions") {
		m := c.(map[string]any)
		status, ok := statuses[m["status"]]
		if !ok {
			status = text(m["status"])
		}
		out = append(out, fmt.Sprint(m["type"], status, m["reason"], text(m["message"]), targets[m["target"]]))
	}
	return out
}

// difference is "" when both answers say the same.
func difference(theirs, mine map[string]any) (string, bool) {
	rt, fatal := results(theirs)
	rm, _ := results(mine)
	if !reflect.DeepEqual(rt, rm) {
		return fmt.Sprintf("results\n  real %q\n  ours %q", rt, rm), fatal
	}
	if fatal {
		return "", true
	}
	for _, key := range []string{"desired", "context"} {
		t, m := compact(theirs[key]), compact(mine[key])
		if !reflect.DeepEqual(t, m) {
			a, _ := json.Marshal(t)
			b, _ := json.Marshal(m)
			return fmt.Sprintf("%s\n  real %s\n  ours %s", key, a, b), false
		}
	}
	if ct, cm := conditions(theirs), conditions(mine); !reflect.DeepEqual(ct, cm) {
		return fmt.Sprintf("conditions\n  real %q\n  ours %q", ct, cm), false
	}
	return "", false
}

// ---- the run ----

func (s *subject) once(o *ours, folder string, seed int64, number int, show bool) error {
	req := s.generate(rand.New(rand.NewSource(seed*1000003 + int64(number))))
	if show {
		fmt.Println(protojson.Format(req))
	}
	theirs, err := s.real(req)
	if err != nil {
		// The real one panics, or eats all there is: nothing to compare with.
		s.crashed++
		if s.crashed <= 5 {
			fmt.Printf("%s -seed %d -case %d: the real one: %v\n", s.name, seed, number, err)
		}
		s.stop()
		return s.start(folder)
	}
	mine, err := o.run(s.name, req)
	if err != nil {
		return fmt.Errorf("ours: %w", err)
	}
	s.cases++
	d, fatal := difference(theirs, mine)
	if fatal {
		s.fatal++
	}
	if d != "" {
		s.differ++
		if s.differ <= 50 || show {
			fmt.Printf("%s -seed %d -case %d: %s\n", s.name, seed, number, d)
		}
	}
	return nil
}

func run() error {
	program := flag.String("ours", "", "tests/tools/compose_lines")
	folder := flag.String("functions", "", "folder of the functions' binaries")
	seconds := flag.Int("seconds", 10, "how long")
	seed := flag.Int64("seed", time.Now().UnixNano()%1000000, "of the run")
	only := flag.String("only", "", "a function")
	one := flag.Int("case", -1, "one case, shown")
	flag.Parse()

	o, err := startOurs(*program)
	if err != nil {
		return err
	}
	all := []*subject{
		{name: "function-go-templating", generate: template},
		{name: "function-patch-and-transform", generate: patches},
	}
	var subjects []*subject
	for _, s := range all {
		if *only != "" && s.name != *only {
			continue
		}
		if err := s.start(*folder); err != nil {
			return err
		}
		subjects = append(subjects, s)
	}
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	for n := 0; *one >= 0 || time.Now().Before(end); n++ {
		for _, s := range subjects {
			if *one >= 0 {
				n = *one
			}
			if err := s.once(o, *folder, *seed, n, *one >= 0); err != nil {
				return err
			}
		}
		if *one >= 0 {
			break
		}
	}
	differ := 0
	for _, s := range subjects {
		s.stop()
		fmt.Printf("%s: %d cases (%d of them fatal), %d differ; the real one crashed at %d more\n",
			s.name, s.cases, s.fatal, s.differ, s.crashed)
		differ += s.differ
	}
	if differ > 0 {
		return fmt.Errorf("%d differences, seed %d", differ, *seed)
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "diff:", err)
		os.Exit(1)
	}
}
