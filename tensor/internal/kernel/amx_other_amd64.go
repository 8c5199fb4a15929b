//go:build !linux && !purego

package kernel

// permitTiles knows how to ask Linux alone.
func permitTiles() bool { return false }
