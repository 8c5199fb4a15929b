//go:build arm64 && !purego

package kernel

var lookupNEON = LookupFuncs{rows: 8, lanes: 4, cols: 12, tile: lookupTileNEON}
