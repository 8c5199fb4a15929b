//go:build !amd64 || purego

package jpeg

func idctFast([]uint8, int, *[64]int16, *[64]int16) bool { return false }

func idct4Fast([]uint8, int, *[64]int16, *[64]int16) bool { return false }

func idct2Fast([]uint8, int, *[64]int16, *[64]int16) bool { return false }

func doubleFast(_, _ []uint8) int { return 0 }

func doubleMixedFast(_, _, _ []uint8) int { return 0 }

func yccFast(_, _, _, _ []uint8) int { return 0 }
