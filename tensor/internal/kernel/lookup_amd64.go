//go:build amd64 && !purego

package kernel

var (
	lookupAVX2   = LookupFuncs{rows: 6, lanes: 8, cols: 16, tile: lookupTileAVX2}
	lookupAVX512 = LookupFuncs{rows: 12, lanes: 16, cols: 32, tile: lookupTileAVX512}
)
