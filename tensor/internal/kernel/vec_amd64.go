//go:build amd64 && !purego

package kernel

var (
	vecAVX2   = vecGeneric
	vecAVX512 = vecGeneric
)
