// What cel-go with the libraries of Kubernetes makes of an expression, and what
// lib/schema/cel.h does (tests/tools/cel_lines).
//
//	go run . -ours PROGRAM -suite          the language's own conformance suite
//	go run . -ours PROGRAM -table FILE     a table of our own
//	go run . -record -table FILE >FILE2    with the answers that are right
//
// A difference is printed with both answers; exit 1: there were some.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// A question is an expression with what its variables are: each of them an
// expression too, so that every type can be said.
type question struct {
	Expression string            `json:"e"`
	Bindings   map[string]string `json:"b,omitempty"`
}

// An answer has one of value, error and complaint.
type answer struct {
	Value     *string `json:"v,omitempty"`
	Error     *string `json:"x,omitempty"`
	Complaint *string `json:"c,omitempty"`
	Type      string  `json:"t,omitempty"`
	Cost      uint64  `json:"n,omitempty"`
}

func (a answer) String() string {
	switch {
	case a.Complaint != nil:
		return "refused " + *a.Complaint
	case a.Error != nil:
		return fmt.Sprintf("fails %s (%s, cost %d)", *a.Error, a.Type, a.Cost)
	case a.Value != nil:
		return fmt.Sprintf("is %s (%s, cost %d)", *a.Value, a.Type, a.Cost)
	}
	return "nothing"
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

func (o *ours) ask(q question) (a answer, err error) {
	line, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return a, err
	}
	text, err := o.out.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// compare asks both; false: they differ.
func compare(name string, o *ours, q question) (right answer, same bool) {
	right = oracle(q)
	got, err := o.ask(q)
	check(err)
	if got.String() == right.String() {
		return right, true
	}
	fmt.Printf("%s: %s\n", name, q.Expression)
	for n, b := range q.Bindings {
		fmt.Printf("  with %s = %s\n", n, b)
	}
	fmt.Printf("  right: %s\n  ours:  %s\n", right, got)
	return right, false
}

func main() {
	program := flag.String("ours", "build/release/tests/tools/cel_lines", "our side")
	suite := flag.Bool("suite", false, "run the conformance suite")
	table := flag.String("table", "", "run a table")
	record := flag.Bool("record", false, "print the table with the right answers")
	flag.Parse()
	if *record {
		check(recordTable(*table))
		return
	}
	o, err := startOurs(*program)
	check(err)
	differ := 0
	if *suite {
		differ += runSuite(o)
	}
	if *table != "" {
		differ += runTable(o, *table)
	}
	if differ > 0 {
		os.Exit(1)
	}
}
