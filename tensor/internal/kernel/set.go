package kernel

import (
	"fmt"
	"os"
	"strings"
)

// Set is the table of one CPU level. A level starts as a copy of the one below
// and overwrites what it does better, so no function is ever nil.
type Set struct {
	Level  string // "generic", "avx2", "avx512", "avx512bf16"
	Gemm   GemmFuncs
	Vec    VecFuncs
	Lookup LookupFuncs
}

// Levels lists the sets that this processor can run, slowest first. The first is always generic.
func Levels() []*Set { return levels }

// Find returns the set of that level, or nil when this processor lacks it.
func Find(level string) *Set {
	for _, s := range levels {
		if s.Level == level {
			return s
		}
	}
	return nil
}

var levels = available()

// Best is the set chosen for this process: the fastest available, or the one that
// the environment variable BEIT_CPU names. An unknown or unavailable name is an error.
func Best() (*Set, error) {
	name := os.Getenv("BEIT_CPU")
	if name == "" {
		return levels[len(levels)-1], nil
	}
	if s := Find(name); s != nil {
		return s, nil
	}
	var have []string
	for _, s := range levels {
		have = append(have, s.Level)
	}
	return nil, fmt.Errorf("BEIT_CPU=%s: this machine and build have %s", name, strings.Join(have, ", "))
}
