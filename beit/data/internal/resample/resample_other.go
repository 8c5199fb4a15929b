//go:build !amd64 || purego

package resample

func rowFast(_, _ []uint8, _, _ []int32, _ int) int { return 0 }

func columnFast(_, _ []uint8, _ []int32) int { return 0 }
