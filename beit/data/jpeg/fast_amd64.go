//go:build amd64 && !purego

package jpeg

import "golang.org/x/sys/cpu"

//go:generate go -C _asm run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg jpeg

// The functions of this file compute a part of what their Go twins do, and say which.

func idctFast(dst []uint8, stride int, b, step *[64]int16) bool {
	if !cpu.X86.HasAVX2 {
		return false
	}
	idctAVX2(&dst[0], stride, &b[0], &step[0])
	return true
}

func idct4Fast(dst []uint8, stride int, b, step *[64]int16) bool {
	if !cpu.X86.HasAVX2 {
		return false
	}
	idct4AVX2(&dst[0], stride, &b[0], &step[0])
	return true
}

func idct2Fast(dst []uint8, stride int, b, step *[64]int16) bool {
	if !cpu.X86.HasAVX2 {
		return false
	}
	idct2AVX2(&dst[0], stride, &b[0], &step[0])
	return true
}

// lanes is the number of samples that the loops take at a time.
const lanes = 16

func doubleFast(dst, src []uint8) int {
	n := (len(src) - 2) &^ (lanes - 1)
	if n <= 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	_ = dst[2*n-1]
	doubleAVX2(&dst[0], &src[0], n)
	return n
}

func doubleMixedFast(dst, near, far []uint8) int {
	n := (len(near) - 2) &^ (lanes - 1)
	if n <= 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	_, _ = dst[2*n-1], far[n+1]
	doubleMixedAVX2(&dst[0], &near[0], &far[0], n)
	return n
}

func yccFast(dst, luma, cb, cr []uint8) int {
	n := len(luma) &^ (lanes - 1)
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	_, _, _ = dst[3*n-1], cb[n-1], cr[n-1]
	yccAVX2(&dst[0], &luma[0], &cb[0], &cr[0], n)
	return n
}
