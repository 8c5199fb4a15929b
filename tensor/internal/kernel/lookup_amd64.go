//go:build amd64 && !purego

package kernel

var (
	lookupAVX2   = lookupGeneric
	lookupAVX512 = lookupGeneric
)
