package arm64_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

var wordLine = regexp.MustCompile(`(?m)^\tWORD (.*)$`)
var word = regexp.MustCompile(`^\$0x([0-9a-f]{8}) // (.+)$`)

// TestDisassembly decodes every WORD of the generated files: it must be the instruction that its
// comment says.
func TestDisassembly(t *testing.T) {
	files, err := filepath.Glob("../../*_arm64.s")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d files of assembly (%v), want those of gemm, lookup and vec", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			lines := wordLine.FindAllStringSubmatch(string(text), -1)
			if len(lines) == 0 {
				t.Fatal("no WORD")
			}
			for _, line := range lines {
				m := word.FindStringSubmatch(line[1])
				if m == nil {
					t.Errorf("%q is not a number and its text", line[0])
					continue
				}
				number, _ := strconv.ParseUint(m[1], 16, 32)
				in, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, uint32(number)))
				if err != nil {
					t.Errorf("%#08x (%s): %v", number, m[2], err)
				} else if got := arm64asm.GNUSyntax(in); got != m[2] {
					t.Errorf("%#08x is %q, its comment says %q", number, got, m[2])
				}
			}
			t.Logf("%d instructions", len(lines))
		})
	}
}
