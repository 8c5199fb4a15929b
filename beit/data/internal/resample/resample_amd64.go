//go:build amd64 && !purego

package resample

import "golang.org/x/sys/cpu"

//go:generate go -C _asm run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg resample

// rowFast computes the first pixels and returns how many. A pixel is read and written as four bytes, so it leaves those whose window ends
// with the row, and the last.
func rowFast(dst, src []uint8, from, weights []int32, taps int) int {
	n := len(from) - 1
	for n > 0 && 3*(int(from[n-1])+taps) >= len(src) {
		n--
	}
	for _, f := range from[:max(n, 0)] {
		if 3*(int(f)+taps) >= len(src) { // positions in no order
			return 0
		}
	}
	if n <= 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	rowAVX2(&dst[0], &src[0], &from[0], &weights[0], n, taps)
	return n
}

// columnFast computes whole vectors and returns how many values that is.
func columnFast(dst, src []uint8, weights []int32) int {
	n := len(dst) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	columnAVX2(&dst[0], &src[0], &weights[0], n, len(dst), len(weights))
	return n
}
