package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// instructions are the vector instructions of x86 that kernels use, from narrow to wide.
var instructions = []struct {
	name     string
	level    string   // of gobeit's levels that use them, the first; "" if there is none
	openBLAS []string // names that OpenBLAS gives its kernels (driver/others/dynamic.c)
	coreType string   // value of OPENBLAS_CORETYPE that takes such kernels
}{
	{"SSE", "generic", []string{
		"Katmai", "Coppermine", "Northwood", "Prescott", "Banias", "Atom", "Core2", "Penryn", "Dunnington", "Nehalem",
		"Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Nano", "Bobcat",
	}, "Prescott"},
	{"AVX", "", []string{"Sandybridge", "Bulldozer", "Piledriver", "Steamroller", "Excavator"}, "Sandybridge"},
	{"AVX2", "avx2", []string{"Haswell", "Zen"}, "Haswell"},
	{"AVX-512", "avx512", []string{"SkylakeX", "Cooperlake", "SapphireRapids"}, "SkylakeX"},
}

// blasLibrary is a library of matrix products.
type blasLibrary struct {
	Name    string `json:"name"`    // with its version
	Kernels string `json:"kernels"` // OpenBLAS's name for those in use; "" if the library does not tell
	Threads string `json:"threads"` // by what it makes threads
}

func (b blasLibrary) String() string {
	text := b.Name
	if b.Kernels != "" {
		text += ", kernels of " + b.Kernels
		if i := b.instructions(); i >= 0 {
			text += " (" + instructions[i].name + ")"
		}
	}
	return text + ", threading by " + b.Threads
}

// instructions returns the index of those that the kernels use, -1 where that is not known.
func (b blasLibrary) instructions() int {
	for i, one := range instructions {
		if slices.ContainsFunc(one.openBLAS, func(name string) bool { return strings.EqualFold(name, b.Kernels) }) {
			return i
		}
	}
	return -1
}

// void says why speeds of a library count for nothing beside a CPU level of gobeit, "" where they count. OpenBLAS takes old kernels on
// processors that are younger than it is, and then a ratio measures the instructions.
func (b blasLibrary) void(level string) string {
	theirs, ours := b.instructions(), -1
	for i, one := range instructions {
		if one.level != "" && strings.HasPrefix(level, one.level) {
			ours = i
		}
	}
	if level == "amx" { // its products in float32 are those of avx512
		ours = len(instructions) - 1
	}
	if theirs < 0 || theirs >= ours {
		return ""
	}
	return fmt.Sprintf("%s took its kernels of %s, which use %s, and gobeit uses %s: OPENBLAS_CORETYPE=%s makes it take others",
		b.Name, b.Kernels, instructions[theirs].name, instructions[ours].name, instructions[ours].coreType)
}

// level is the CPU level that gobeit runs.
func level() string { return tensor.CPU().Variant(tensor.Highest) }
