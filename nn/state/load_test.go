package state

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memory collects what slots are set to.
type memory map[string][]float32

func (m memory) slot(name string, shape ...int) Slot {
	return Slot{Name: name, Shape: shape, Set: func(values []float32) error {
		m[name] = slices.Clone(values)
		return nil
	}}
}

func loadFile(t *testing.T) *File {
	return mustOpen(t, mustWrite(t, nil,
		Named{Name: "w", DType: F32, Shape: []int{2, 3}, Float32s: []float32{1, 2, 3, 4, 5, 6}},
		Named{Name: "b", DType: BF16, Shape: []int{2}, Raw: words(2, 0x3f80, 0xc000)},
		Named{Name: "n", DType: I64, Shape: []int{}, Raw: words(8, 9)}))
}

func TestLoad(t *testing.T) {
	got := memory{}
	r, err := Load([]Slot{got.slot("n"), got.slot("w", 2, 3), got.slot("b", 2)}, loadFile(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(memory{"w": {1, 2, 3, 4, 5, 6}, "b": {1, -2}, "n": {9}}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Report{Loaded: []string{"n", "w", "b"}}, r); diff != "" {
		t.Error(diff)
	}
	if r.Err() != nil || r.String() != "3 loaded" {
		t.Error(r.Err(), r)
	}
}

func TestLoadRenamesAndDrops(t *testing.T) {
	got := memory{}
	r, err := Load([]Slot{got.slot("fc.weight", 2, 3), got.slot("fc.bias", 2)}, loadFile(t), func(name string) (string, bool) {
		return map[string]string{"w": "fc.weight", "b": "fc.bias"}[name], name != "n"
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(memory{"fc.weight": {1, 2, 3, 4, 5, 6}, "fc.bias": {1, -2}}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Report{Loaded: []string{"fc.weight", "fc.bias"}, Dropped: []string{"n"}}, r); diff != "" {
		t.Error(diff)
	}
}

func TestLoadResizes(t *testing.T) {
	got := memory{}
	slot := got.slot("w", 3)
	slot.Resize = func(values []float32, shape []int) ([]float32, error) {
		if diff := cmp.Diff([]int{2, 3}, shape); diff != "" {
			t.Error(diff)
		}
		return values[3:], nil
	}
	same := got.slot("b", 2)
	same.Resize = func([]float32, []int) ([]float32, error) {
		t.Error("Resize was called for a shape that fits")
		return nil, nil
	}
	r, err := Load([]Slot{slot, same, got.slot("n")}, loadFile(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(memory{"w": {4, 5, 6}, "b": {1, -2}, "n": {9}}, got); diff != "" {
		t.Error(diff)
	}
	want := Report{Loaded: []string{"w", "b", "n"}, Resized: []Mismatch{{Name: "w", Want: []int{3}, Got: []int{2, 3}}}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if text := r.String(); text != "3 loaded\n1 resized:\n  \"w\": want [3], file has [2 3]" {
		t.Error(text)
	}
}

// Whatever does not fit, nothing is set.
func TestLoadIsStrict(t *testing.T) {
	got := memory{}
	tests := []struct {
		name   string
		slots  []Slot
		rename func(string) (string, bool)
		want   Report
		err    string
	}{
		{"missing and unexpected", []Slot{got.slot("w", 2, 3), got.slot("c", 2), got.slot("n")}, nil,
			Report{Missing: []string{"c"}, Unexpected: []string{"b"}},
			`tensors do not fit: 1 missing ("c"), 1 unexpected ("b")`},
		{"other shape", []Slot{got.slot("w", 3, 2), got.slot("b", 2), got.slot("n")}, nil,
			Report{Mismatched: []Mismatch{{Name: "w", Want: []int{3, 2}, Got: []int{2, 3}}}},
			`1 of another shape ("w": want [3 2], file has [2 3])`},
		{"scalar is not [1]", []Slot{got.slot("w", 2, 3), got.slot("b", 2), got.slot("n", 1)}, nil,
			Report{Mismatched: []Mismatch{{Name: "n", Want: []int{1}, Got: []int{}}}},
			`1 of another shape ("n": want [1], file has [])`},
		{"nothing fits", nil, nil,
			Report{Unexpected: []string{"b", "n", "w"}}, `3 unexpected ("b", "n", "w")`},
		{"many missing", []Slot{got.slot("1"), got.slot("2"), got.slot("3"), got.slot("4")},
			func(string) (string, bool) { return "", false },
			Report{Missing: []string{"1", "2", "3", "4"}, Dropped: []string{"b", "n", "w"}},
			`4 missing ("1", "2", "3", ...)`},
		{"two to one", []Slot{got.slot("w", 2, 3)},
			func(string) (string, bool) { return "w", true },
			Report{}, `tensors "b" and "n" are both renamed to "w"`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Load(tc.slots, loadFile(t), tc.rename)
			if err == nil || !strings.Contains(err.Error(), tc.err) || !strings.HasPrefix(err.Error(), "state: loading x.safetensors: ") {
				t.Errorf("error %v, want %s", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, r); diff != "" {
				t.Error(diff)
			}
			if len(got) > 0 {
				t.Errorf("slots were set: %v", got)
			}
		})
	}
}

func TestLoadUnreadableType(t *testing.T) {
	got := memory{}
	f := mustOpen(t, mustWrite(t, nil,
		Named{Name: "a", DType: F32, Float32s: []float32{1}},
		Named{Name: "c", DType: C64, Raw: make([]byte, 8)}))
	_, err := Load([]Slot{got.slot("a"), got.slot("c")}, f, nil)
	if err == nil || !strings.Contains(err.Error(), `tensor "c": C64 cannot be read`) || len(got) > 0 {
		t.Error(err, got)
	}
}

func TestLoadErrorsAfterTheCheck(t *testing.T) {
	refused := errors.New("refused")
	got := memory{}
	bad := Slot{Name: "w", Shape: []int{2, 3}, Set: func([]float32) error { return refused }}
	r, err := Load([]Slot{got.slot("b", 2), bad, got.slot("n")}, loadFile(t), nil)
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), `tensor "w"`) {
		t.Error(err)
	}
	if diff := cmp.Diff(Report{Loaded: []string{"b"}}, r); diff != "" {
		t.Error(diff)
	}
	bad.Shape = []int{7}
	bad.Resize = func([]float32, []int) ([]float32, error) { return nil, refused }
	_, err = Load([]Slot{got.slot("b", 2), bad, got.slot("n")}, loadFile(t), nil)
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), `tensor "w": resizing [2 3] to [7]`) {
		t.Error(err)
	}
	// The file shrinks after its header was read; "w" is the last but one.
	b := mustWrite(t, nil, Named{Name: "w", DType: F32, Shape: []int{2}, Float32s: []float32{1, 2}})
	cut, err := ReadSafetensors(bytes.NewReader(b[:len(b)-1]), int64(len(b)), "cut")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load([]Slot{got.slot("w", 2)}, cut, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != `state: loading cut: tensor "w": unexpected EOF` {
		t.Error(err)
	}
}

func TestLoadPanics(t *testing.T) {
	got := memory{}
	short := got.slot("w", 7)
	short.Resize = func(values []float32, _ []int) ([]float32, error) { return values, nil }
	for name, slots := range map[string][]Slot{
		"two slots": {got.slot("w", 2, 3), got.slot("w", 2, 3)},
		"Resize of": {short, got.slot("b", 2), got.slot("n")},
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "state: Load: "+name) {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			_, _ = Load(slots, loadFile(t), nil)
		}()
	}
}

// Names of a hostile file cannot break the one line of an error.
func TestReportQuotes(t *testing.T) {
	r := Report{Unexpected: []string{"a\nb\x1b[2J"}}
	if strings.ContainsAny(r.Err().Error(), "\n\x1b") || strings.Contains(r.String(), "\x1b") {
		t.Errorf("%q\n%q", r.Err(), r)
	}
}
