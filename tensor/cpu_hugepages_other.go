//go:build !linux

package tensor

// adviseHuge knows how to ask Linux alone.
func adviseHuge([]float32) {}
