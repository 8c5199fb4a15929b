package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Set is the table of one CPU level. A level starts as a copy of the one below
// and overwrites what it does better, so no function is ever nil.
type Set struct {
	Level  string // "generic", "avx2", "avx512", "avx512bf16", "amx", "neon"
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

// Choice is the set of a process, and what the self-test found on the way to it.
type Choice struct {
	Set    *Set
	Forced bool    // BEIT_CPU named it
	Faults []Fault // of the faster levels that were passed over or, where Forced, of Set itself
}

// Choose returns the fastest level of this machine that passes its self-test, or the level that the environment variable
// BEIT_CPU names, whatever the self-test says of it. A name that is unknown or unavailable is an error.
func Choose() (Choice, error) { return choose(levels, os.Getenv("BEIT_CPU")) }

func choose(sets []*Set, name string) (Choice, error) {
	var c Choice
	var have []string
	for _, s := range sets {
		if s.Level == name {
			return Choice{s, true, s.SelfTest()}, nil
		}
		have = append(have, s.Level)
	}
	if name != "" {
		return Choice{}, fmt.Errorf("BEIT_CPU=%s: this machine and build have %s", name, strings.Join(have, ", "))
	}
	for _, s := range slices.Backward(sets) {
		c.Set = s
		faults := s.SelfTest()
		if faults == nil {
			break // at the latest for generic, which the others are compared with
		}
		c.Faults = append(c.Faults, faults...)
	}
	return c, nil
}

// String is the verdict of the self-test in one line.
func (c Choice) String() string {
	if c.Faults == nil {
		if c.Set.Level == levels[0].Level {
			return "generic is what other levels are compared with"
		}
		return c.Set.Level + " agrees with generic"
	}
	var kinds []string
	for _, f := range c.Faults {
		if kind := f.Level + " " + f.Group; !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	end := "running on " + c.Set.Level + " instead"
	if c.Forced {
		end = "running on it all the same, since BEIT_CPU=" + c.Set.Level
	}
	return fmt.Sprintf("kernels that differ from generic: %s (%s: %s); %s",
		strings.Join(kinds, ", "), c.Faults[0].Kernel, c.Faults[0].Detail, end)
}
