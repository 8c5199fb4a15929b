package tensor

import (
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// Medium is the fast precision exactly where bfloat16 products are known to be faster; the same level answers otherwise for another maker.
func TestFastPrecision(t *testing.T) {
	for _, c := range []struct {
		level  string
		vendor cpuid.Vendor
		want   Precision
	}{
		{"generic", cpuid.AMD, Highest}, {"avx2", cpuid.AMD, Highest}, {"avx512", cpuid.AMD, Highest}, {"neon", cpuid.VendorUnknown, Highest},
		{"avx512bf16", cpuid.AMD, Medium}, {"avx512bf16", cpuid.Intel, Highest}, {"avx512bf16", cpuid.VendorUnknown, Highest},
		{"amx", cpuid.Intel, Medium},
	} {
		if got := fastPrecision(c.level, c.vendor); got != c.want {
			t.Errorf("level %s, vendor %v: %v, want %v", c.level, c.vendor, got, c.want)
		}
	}
	for _, level := range CPULevels() {
		dev := CPULevel(level)
		if got := dev.FastPrecision(); got != Highest && !dev.Supports("MatMul", got) {
			t.Errorf("level %s has no code of its own for its fast precision %v", level, got)
		}
	}
}

func TestParsePrecision(t *testing.T) {
	for name, want := range map[string]Precision{"highest": Highest, "high": High, "medium": Medium, "fp32": Highest, "bf16": Medium} {
		if got, err := ParsePrecision(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "auto", "FP32", "fp16"} {
		if got, err := ParsePrecision(name); err == nil {
			t.Errorf("%q: %v, want an error", name, got)
		}
	}
}
