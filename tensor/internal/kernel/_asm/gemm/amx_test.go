package main

import (
	"encoding/hex"
	"testing"
)

// The wanted bytes are those of the GNU assembler 2.40, told by {disp32} to write displacements of 32 bits.
func TestTileInstructions(t *testing.T) {
	const rax, rdx, rbx, rsi, rdi, r8, r9, r11, r12, r13 = 0, 2, 3, 6, 7, 8, 9, 11, 12, 13
	for _, c := range []struct {
		text string
		got  []byte
		want string
	}{
		{"ldtilecfg 0(%rax)", tileConfig(rax), "c4e278498000000000"},
		{"ldtilecfg 0(%rdi)", tileConfig(rdi), "c4e278498700000000"},
		{"ldtilecfg 0(%r9)", tileConfig(r9), "c4c278498100000000"},
		{"tilerelease", tileRelease(), "c4e27849c0"},
		{"tileloadd 0(%rdi,%rdx,1), %tmm6", tileMove(prefixF2, 6, rdi, rdx, 0), "c4e27b4bb41700000000"},
		{"tileloadd 1024(%rsi,%rbx,1), %tmm5", tileMove(prefixF2, 5, rsi, rbx, 1024), "c4e27b4bac1e00040000"},
		{"tileloadd 0(%r8,%rbx,1), %tmm4", tileMove(prefixF2, 4, r8, rbx, 0), "c4c27b4ba41800000000"},
		{"tileloadd 64(%r12,%rdx,1), %tmm7", tileMove(prefixF2, 7, r12, rdx, 64), "c4c27b4bbc1440000000"},
		{"tileloadd -64(%r13,%r12,1), %tmm0", tileMove(prefixF2, 0, r13, r12, -64), "c4827b4b8425c0ffffff"},
		{"tilestored %tmm3, 2112(%r9,%rdx,1)", tileMove(prefixF3, 3, r9, rdx, 2112), "c4c27a4b9c1140080000"},
		{"tilestored %tmm1, 64(%r11,%r12,1)", tileMove(prefixF3, 1, r11, r12, 64), "c4827a4b8c2340000000"},
		{"tilezero %tmm2", tileZero(2), "c4e27b49d0"},
		{"tilezero %tmm7", tileZero(7), "c4e27b49f8"},
		{"tdpbf16ps %tmm6, %tmm4, %tmm0", tileDot(0, 4, 6), "c4e24a5cc4"},
		{"tdpbf16ps %tmm7, %tmm5, %tmm3", tileDot(3, 5, 7), "c4e2425cdd"},
		{"tdpbf16ps %tmm1, %tmm2, %tmm7", tileDot(7, 2, 1), "c4e2725cfa"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s, want %s", c.text, got, c.want)
		}
	}
}
