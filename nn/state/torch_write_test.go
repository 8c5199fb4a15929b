package state

import (
	"bytes"
	"strings"
	"testing"
)

// What is written reads back as the same tensors, and data are aligned as PyTorch aligns them.
func TestWriteTorch(t *testing.T) {
	list := []Named{
		{Name: "b", DType: F16, Shape: []int{2, 3}, Raw: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{Name: "a", DType: F32, Shape: []int{3}, Float32s: []float32{1, 2, 3}},
		{Name: "scalar", DType: I64, Raw: words(8, 7)},
		{Name: "none", DType: BF16, Shape: []int{0, 4}},
		{Name: "late", DType: BOOL, Shape: []int{2}, Read: func() ([]byte, error) { return []byte{0, 1}, nil }},
	}
	for _, key := range []string{"", "model", "module"} {
		var b bytes.Buffer
		if err := WriteTorch(&b, key, list); err != nil {
			t.Fatal(err)
		}
		f, err := openBytes(t, b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		want := mustOpen(t, mustWrite(t, nil, list...))
		if got := f.Metadata()[MetaContainer]; got != key || len(f.Names()) != len(list) {
			t.Errorf("container %q, tensors %v", got, f.Names())
		}
		for _, name := range want.Names() {
			sameTensor(t, f, name, want, name)
			if e, _ := f.Entry(name); e.Offset%torchAlign != 0 {
				t.Errorf("%s lies at %d", name, e.Offset)
			}
		}
	}
}

func TestWriteTorchRefuses(t *testing.T) {
	for want, list := range map[string][]Named{
		"twice":         {{Name: "a", DType: F32, Shape: []int{0}}, {Name: "a", DType: F32, Shape: []int{0}}},
		"no storage":    {{Name: "a", DType: U64, Shape: []int{0}}},
		"takes 8 bytes": {{Name: "a", DType: F32, Shape: []int{2}, Float32s: []float32{1}}},
	} {
		var b bytes.Buffer
		if err := WriteTorch(&b, "", list); err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%v, %d bytes written, want %q", err, b.Len(), want)
		}
	}
}
