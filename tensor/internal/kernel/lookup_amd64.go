//go:build amd64 && !purego

package kernel

//go:generate go -C _asm/lookup run . -out ../../lookup_amd64.s -stubs ../../lookup_stubs_amd64.go -pkg kernel

var (
	lookupAVX2   = LookupFuncs{rows: 6, lanes: 8, cols: 16, tile: lookupTileAVX2}
	lookupAVX512 = LookupFuncs{rows: 12, lanes: 16, cols: 32, tile: lookupTileAVX512}
)
