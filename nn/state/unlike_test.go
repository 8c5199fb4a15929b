package state

import (
	"bytes"
	"strings"
	"testing"
)

func TestUnlike(t *testing.T) {
	neg, conj, both := Unlike{Negative: true}, Unlike{Conjugate: true}, Unlike{true, true}
	for _, c := range []struct {
		unlike     Unlike
		dtype      DType
		file, want []byte
	}{
		{neg, F32, []byte{0, 0, 0x80, 0x3f}, []byte{0, 0, 0x80, 0xbf}},
		{neg, F16, []byte{0, 0x3c, 0, 0xbc}, []byte{0, 0xbc, 0, 0x3c}},
		{neg, BF16, []byte{0x80, 0x3f}, []byte{0x80, 0xbf}},
		{neg, F64, []byte{0, 0, 0, 0, 0, 0, 0, 0}, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}},
		{neg, F8E4M3, []byte{1}, []byte{0x81}},
		{neg, I32, []byte{1, 0, 0, 0, 0, 0xff, 0xff, 0xff}, []byte{0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0}},
		{neg, I8, []byte{0x80, 0}, []byte{0x80, 0}},
		{neg, BOOL, []byte{1}, []byte{1}},
		{conj, F32, []byte{0, 0, 0x80, 0x3f}, []byte{0, 0, 0x80, 0x3f}},
		{conj, C64, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}},
		{neg, C64, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}, []byte{0, 0, 0x80, 0xbf, 0, 0, 0, 0xc0}},
		{both, C64, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}, []byte{0, 0, 0x80, 0xbf, 0, 0, 0, 0x40}},
		{neg, "F4", []byte{1}, []byte{1}},
	} {
		got := bytes.Clone(c.file)
		if c.unlike.undo(got, c.dtype); !bytes.Equal(got, c.want) {
			t.Errorf("%+v of %s %x: %x, want %x", c.unlike, c.dtype, c.file, got, c.want)
		}
	}
}

// A conjugate complex tensor is read as bytes, rightly, and not as numbers, which is told by its name.
func TestConjugate(t *testing.T) {
	storage := tuple(text("storage"), "ctorch\nComplexFloatStorage\n", text("0"), text("cpu"), number(1)) + "Q"
	value := dictOf(text("a.c"), "ctorch._utils\n_rebuild_tensor_v2\n"+tuple(storage, number(0), tuple(number(1)), tuple(number(1)), "\x89", "}", dictOf(text("conj"), "\x88"))+"R")
	f, err := openBytes(t, torchZip(t, program(value), map[string][]byte{"0": {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}}))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Bytes("a.c"); err != nil || !bytes.Equal(b, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}) {
		t.Errorf("%x %v", b, err)
	}
	if _, err := f.Float32s("a.c"); err == nil || !strings.Contains(err.Error(), `tensor "a.c": C64 cannot be read as float32`) {
		t.Errorf("%v", err)
	}
}
