//go:build !(amd64 || arm64) || purego

package kernel

func available() []*Set {
	return []*Set{{Level: "generic", Gemm: gemmGeneric, Vec: vecGeneric, Lookup: lookupGeneric}}
}
