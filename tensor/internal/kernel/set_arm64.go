//go:build arm64 && !purego

package kernel

// available: every 64-bit ARM processor that Go runs on has NEON.
func available() []*Set {
	return []*Set{
		{Level: "generic", Gemm: gemmGeneric, Vec: vecGeneric, Lookup: lookupGeneric},
		{Level: "neon", Gemm: gemmNEON, Vec: vecNEON, Lookup: lookupNEON},
	}
}
