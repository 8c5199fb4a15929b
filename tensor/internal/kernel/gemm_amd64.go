//go:build amd64 && !purego

package kernel

var (
	gemmAVX2   = gemmGeneric
	gemmAVX512 = gemmGeneric
)
