//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// tileStates are the bits of extended control register 0 for the configuration of tiles and for their contents.
const tileStates = 3 << 17

func available() []*Set {
	sets := []*Set{{Level: "generic", Gemm: gemmGeneric, Vec: vecGeneric, Lookup: lookupGeneric}}
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return sets
	}
	sets = append(sets, &Set{Level: "avx2", Gemm: gemmAVX2, Vec: vecAVX2, Lookup: lookupAVX2})
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		sets = append(sets, &Set{Level: "avx512", Gemm: gemmAVX512, Vec: vecAVX512, Lookup: lookupAVX512})
		if cpu.X86.HasAVX512BF16 {
			bf16 := *sets[len(sets)-1]
			bf16.Level, bf16.Gemm.pairs = "avx512bf16", &gemmBF16
			sets = append(sets, &bf16)
			if cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && xcr0()&tileStates == tileStates && permitTiles() {
				amx := bf16
				amx.Level, amx.Gemm.pairs, amx.Gemm.tiles = "amx", nil, &gemmAMX
				sets = append(sets, &amx)
			}
		}
	}
	return sets
}
