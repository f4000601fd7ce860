package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

// A row of a table: an expression, its variables, the answer. Form: see
// tests/unit/schema/data/cel_language.txt.
type row struct {
	before []string // comments, headings, empty lines
	q      question
	says   []string // the answer's lines
}

func readTable(path string) (rows []row, rest []string, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		switch {
		case strings.HasPrefix(l, "  with "):
			n, e, _ := strings.Cut(l[7:], " = ")
			r := &rows[len(rows)-1]
			r.q.Bindings[n] = e
		case strings.HasPrefix(l, "  and "):
			rows[len(rows)-1].q.Expression += "\n" + l[6:]
		case strings.HasPrefix(l, "  "):
			r := &rows[len(rows)-1]
			r.says = append(r.says, l)
		case l == "" || strings.HasPrefix(l, "# "):
			rest = append(rest, l)
		default:
			rows = append(rows, row{before: rest, q: question{l, map[string]string{}}})
			rest = nil
		}
	}
	return rows, rest, nil
}

func answerLines(a answer) []string {
	line := strings.NewReplacer("\\", "\\\\", "\n", "\\n")
	switch {
	case a.Complaint != nil:
		return []string{"  refused " + line.Replace(*a.Complaint)}
	case a.Error != nil:
		return []string{"  fails " + line.Replace(*a.Error), fmt.Sprintf("  cost %d, type %s", a.Cost, a.Type)}
	}
	return []string{"  is " + line.Replace(*a.Value), fmt.Sprintf("  cost %d, type %s", a.Cost, a.Type)}
}

func recordTable(path string) error {
	rows, rest, err := readTable(path)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, l := range r.before {
			fmt.Println(l)
		}
		fmt.Println(strings.ReplaceAll(r.q.Expression, "\n", "\n  and "))
		names := []string{}
		for n := range r.q.Bindings {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			fmt.Printf("  with %s = %s\n", n, r.q.Bindings[n])
		}
		for _, l := range answerLines(oracle(r.q)) {
			fmt.Println(l)
		}
	}
	for _, l := range rest {
		fmt.Println(l)
	}
	return nil
}

func runTable(o *ours, path string) (differ int) {
	rows, _, err := readTable(path)
	check(err)
	for _, r := range rows {
		right, same := compare("table", o, r.q)
		want := strings.Join(answerLines(right), "\n")
		if len(r.says) > 0 && strings.Join(r.says, "\n") != want {
			fmt.Printf("%s\n  recorded otherwise: %s\n", r.q.Expression, strings.Join(r.says, "\n"))
			same = false
		}
		if !same {
			differ++
		}
	}
	fmt.Printf("# %d rows, %d differ\n", len(rows), differ)
	return differ
}
