package main

import (
	"strings"
	"testing"
)

func TestVoid(t *testing.T) {
	for _, c := range []struct {
		kernels, level string
		want           string // part of the reason
	}{
		{"Prescott", "avx2", "Haswell"}, {"Prescott", "avx512bf16", "SkylakeX"}, {"Prescott", "amx", "SkylakeX"}, {"Prescott", "generic", ""},
		{"Nehalem", "avx2", "uses AVX2"}, {"Sandybridge", "avx2", "use AVX,"}, {"Haswell", "avx2", ""}, {"Zen", "avx2", ""},
		{"Haswell", "avx512", "AVX-512"}, {"SkylakeX", "avx512bf16", ""}, {"Cooperlake", "amx", ""}, {"SapphireRapids", "avx2", ""},
		{"neoversen1", "neon", ""}, {"", "avx512", ""}, {"Zen6", "avx512", ""},
	} {
		got := blasLibrary{Name: "OpenBLAS", Kernels: c.kernels}.void(c.level)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("kernels of %s beside level %s: %q, want %q", c.kernels, c.level, got, c.want)
		}
	}
}

// What OpenBLAS says of itself is what the table of kernels knows, so that a name that changes its spelling is noticed.
func TestOpenBLASIsKnown(t *testing.T) {
	if b := openBLAS(); b.instructions() < 0 && level() != "neon" {
		t.Errorf("%s: kernels of %q are in no row of the table", b.Name, b.Kernels)
	}
}
