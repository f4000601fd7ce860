// Random schemas, objects and writes, through the API server's own libraries
// and through tests/tools/write_lines: each difference is printed with the
// seed that makes it again.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"reflect"
	"sort"
	"strings"
	"time"
)

type peer struct {
	in  io.Writer
	out *bufio.Reader
}

func startPeer(path string) *peer {
	c := exec.Command(path)
	in, _ := c.StdinPipe()
	out, _ := c.StdoutPipe()
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		panic(err)
	}
	return &peer{in, bufio.NewReaderSize(out, 1<<20)}
}

func (p *peer) ask(line object) object {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	p.in.Write(append(text, '\n'))
	back, err := p.out.ReadBytes('\n')
	if err != nil {
		fmt.Printf("%s\n", text)
		panic(err)
	}
	answer := object{}
	json.Unmarshal(back, &answer)
	return answer
}

// A kind of case: makes one (nil: this seed makes none), and says what is
// right.
type kind struct {
	make func(g gen) object
	want func(c object) (any, bool)
}

var kinds = map[string]kind{
	"managed": {managedCase, managedWant},
}

func through(v any) any {
	text, _ := json.Marshal(v)
	var out any
	json.Unmarshal(text, &out)
	return out
}

func show(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func main() {
	tool := flag.String("tool", "../../build/release/tests/tools/write_lines", "the program")
	what := flag.String("kind", "managed", "kind of cases")
	seed := flag.Int64("seed", time.Now().UnixNano()%1e9, "first seed")
	n := flag.Int("n", 1000, "cases")
	record := flag.Bool("record", false, "print cases with what is right, one a line")
	stop := flag.Int("stop", 3, "differences after which to stop")
	flag.Parse()
	k := kinds[*what]
	var p *peer
	if !*record {
		p = startPeer(*tool)
	}
	bad, done := 0, 0
	for i := int64(0); done < *n && bad < *stop && i < int64(*n)*20; i++ {
		c := k.make(gen{rand.New(rand.NewSource(*seed + i))})
		if c == nil {
			continue
		}
		c["kind"] = *what
		c = through(c).(object)
		want, ok := k.want(c)
		if !ok {
			continue
		}
		done++
		want = inOrder(through(want))
		if *record {
			fmt.Println(show(object{"case": c, "want": want}))
			continue
		}
		got := inOrder(p.ask(c)["got"])
		if reflect.DeepEqual(got, want) {
			continue
		}
		if again, _ := k.want(c); reflect.DeepEqual(got, inOrder(through(again))) {
			continue
		}
		bad++
		fmt.Printf("-- seed %d\n%s\n", *seed+i, show(c))
		difference(got, want)
	}
	fmt.Printf("%d cases, %d different, from seed %d\n", done, bad, *seed)
	if bad > 0 {
		os.Exit(1)
	}
}

// Causes come in no order.
func inOrder(v any) any {
	steps, _ := v.([]any)
	for _, s := range steps {
		step, _ := s.(object)
		fail, _ := step["err"].(object)
		if text, ok := fail["message"].(string); ok {
			head, rest, _ := strings.Cut(text, "errors:\n")
			lines := strings.Split(rest, "\n")
			sort.Strings(lines)
			fail["message"] = head + strings.Join(lines, "\n")
		}
		causes, _ := fail["causes"].([]any)
		sort.Slice(causes, func(i, j int) bool { return show(causes[i]) < show(causes[j]) })
	}
	return v
}

// The first step that differs, when there are steps.
func difference(got, want any) {
	g, ok := got.([]any)
	w, ok2 := want.([]any)
	if !ok || !ok2 {
		fmt.Printf("got  %s\nwant %s\n", show(got), show(want))
		return
	}
	for i := range w {
		if i >= len(g) || !reflect.DeepEqual(g[i], w[i]) {
			if i > 0 {
				fmt.Printf("was  %s\n", show(w[i-1]))
			}
			fmt.Printf("step %d\n", i)
			if i < len(g) {
				fmt.Printf("got  %s\n", show(g[i]))
			}
			fmt.Printf("want %s\n", show(w[i]))
			return
		}
	}
}

func managedCase(g gen) object {
	schemas := map[string]object{"v1": rootSchema(g)}
	if g.chance(3) {
		schemas["v2"] = variantRoot(g, schemas["v1"])
	}
	if _, err := newWorld(schemas); err != nil {
		return nil
	}
	return object{"schemas": schemas, "ops": randomOps(g, schemas)}
}

func managedWant(c object) (any, bool) {
	schemas := map[string]object{}
	for name, s := range c["schemas"].(object) {
		schemas[name] = s.(object)
	}
	w, err := newWorld(schemas)
	if err != nil {
		return nil, false
	}
	out := w.playAll(c["ops"].([]any))
	return out, out != nil
}
