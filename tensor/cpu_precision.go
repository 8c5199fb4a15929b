package tensor

import "github.com/klauspost/cpuid/v2"

// fastMedium lists the CPU levels whose matmuls are faster at Medium than at Highest, and on which processors.
//
// Level avx512bf16 multiplies by VDPBF16PS, which does two multiply-adds where a float32 multiply-add does one. AMD's processors issue it as often,
// from Zen 4 on. Intel's issue it half as often: nothing is won, and packing to bfloat16 costs time. A processor that is not known counts as slow.
var fastMedium = []struct {
	level  string
	vendor cpuid.Vendor // VendorUnknown: any
}{
	{"amx", cpuid.VendorUnknown}, // tiles of bfloat16: 8 times the multiply-adds of float32
	{"avx512bf16", cpuid.AMD},
}

// fastPrecision looks a level up for processors of a vendor.
func fastPrecision(level string, vendor cpuid.Vendor) Precision {
	for _, row := range fastMedium {
		if row.level == level && (row.vendor == cpuid.VendorUnknown || row.vendor == vendor) {
			return Medium
		}
	}
	return Highest
}

// FastPrecision looks the processor up.
func (c *cpuBackend) FastPrecision() Precision { return fastPrecision(c.set.Level, cpuid.CPU.VendorID) }
