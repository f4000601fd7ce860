// Prints the tables of lib/base/re_class.c:
//
//	go run scripts/re_tables.go category >lib/base/re_category.c
//	go run scripts/re_tables.go script >lib/base/re_script.c
//
// Their source is Go's package unicode, since we follow Go's package regexp.
package main

import (
	"fmt"
	"os"
	"sort"
	"unicode"
)

func runs(name string, tables map[string]*unicode.RangeTable, keep func(string) bool) {
	var names []string
	for n := range tables {
		if keep(n) {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	owner := make([]uint8, unicode.MaxRune+1)
	for i, n := range names {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if unicode.Is(tables[n], r) {
				owner[r] = uint8(i + 1)
			}
		}
	}
	fmt.Printf("\nconst char *const re_%s_names[] = {\n    \"\",", name)
	for i, n := range names {
		sep := " "
		if i%4 == 3 {
			sep = "\n    "
		}
		fmt.Printf("%s\"%s\",", sep, n)
	}
	fmt.Printf("\n};\nconst size_t re_%s_count = ARRAY_LEN(re_%s_names);\n", name, name)
	fmt.Printf("\nconst uint32_t re_%s_runs[] = {", name)
	last, n := uint8(255), 0
	for r, o := range owner {
		if o != last {
			if n%7 == 0 {
				fmt.Printf("\n   ")
			}
			fmt.Printf(" 0x%07X,", r<<8|int(o))
			n++
		}
		last = o
	}
	fmt.Printf("\n};\nconst size_t re_%s_run_count = ARRAY_LEN(re_%s_runs);\n", name, name)
}

func folds() {
	type run struct{ lo, hi, step, delta rune }
	var all []run
	for r := rune(0); r <= unicode.MaxRune; r++ {
		f := unicode.SimpleFold(r)
		if f == r {
			continue
		}
		d := f - r
		placed := false
		for i := len(all) - 1; i >= 0 && i >= len(all)-2; i-- {
			a := &all[i]
			gap := r - a.hi
			if a.delta != d || (a.hi != a.lo && gap != a.step) || gap > 2 {
				continue
			}
			a.step, a.hi, placed = gap, r, true
			break
		}
		if !placed {
			all = append(all, run{r, r, 1, d})
		}
	}
	fmt.Printf("\nconst struct re_fold re_folds[] = {\n")
	for i, a := range all {
		if i%2 == 0 {
			fmt.Printf("   ")
		}
		fmt.Printf(" {%d, %d, %d, %d},", a.lo, a.hi, a.step, a.delta)
		if i%2 == 1 {
			fmt.Println()
		}
	}
	fmt.Printf("\n};\nconst size_t re_fold_count = ARRAY_LEN(re_folds);\n")
}

func main() {
	fmt.Printf("/* Unicode %s. Made by scripts/re_tables.go. */\n", unicode.Version)
	fmt.Printf("/* clang-format off */\n#include \"lib/base/re_prog.h\"\n")
	if os.Args[1] == "category" {
		runs("category", unicode.Categories, func(n string) bool { return len(n) == 2 && n != "LC" && n != "Cn" })
	} else {
		runs("script", unicode.Scripts, func(string) bool { return true })
		folds()
	}
}
