package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// odd is metadata with everything that JSON escapes, and with what looks like a checksum.
var odd = map[string]string{
	"config": "stage = \"x\"\npath = 'C:\\new\\' # \\\" <&> é \u2028\n\"gobeit.sha256\":\"" + noDigest + "\"",
	"a":      "", "gobeit": "L", "z": "\\",
}

var fewTensors = []Named{
	{Name: "a", DType: F32, Shape: []int{2}, Float32s: []float32{1, 2}},
	{Name: "gobeit.sha256", DType: I32, Shape: []int{1}, Int32s: []int32{-1}},
	{Name: "gobeit.checked", DType: U8, Shape: []int{3}, Raw: []byte{1, 2, 3}},
}

func mustWriteChecked(t testing.TB, meta map[string]string, tensors ...Named) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteChecked(&b, meta, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The checksum is what the comment of WriteChecked says, and other readers find the same tensors and metadata as in an unchecked file.
func TestChecked(t *testing.T) {
	checked := mustWriteChecked(t, odd, fewTensors...)
	f := mustOpen(t, checked)
	if err := f.Verify(); err != nil || !f.Checked() {
		t.Fatalf("checked %v, error %v", f.Checked(), err)
	}
	if diff := cmp.Diff(odd, f.Metadata()); diff != "" {
		t.Error(diff)
	}
	_, digest, _ := strings.Cut(string(checked), `"gobeit.checked":"sha256","gobeit.sha256":"`)
	digest = digest[:64]
	if sum := fmt.Sprintf("%x", sha256.Sum256(bytes.Replace(checked, []byte(digest), []byte(noDigest), 1))); digest != sum {
		t.Errorf("digest %s, by its definition %s", digest, sum)
	}
	plain := mustWrite(t, f.Metadata(), fewTensors...)
	g := mustOpen(t, plain)
	if err := g.Verify(); err != nil || g.Checked() {
		t.Errorf("a file without a checksum: checked %v, error %v", g.Checked(), err)
	}
	if diff := cmp.Diff(f.Metadata(), g.Metadata()); diff != "" {
		t.Error(diff)
	}
	for _, name := range f.Names() {
		a, _ := f.Bytes(name)
		if b, err := g.Bytes(name); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is %v and %v, error %v", name, a, b, err)
		}
	}
	if !bytes.Equal(checked, mustWriteChecked(t, odd, fewTensors[2], fewTensors[0], fewTensors[1])) {
		t.Error("bytes depend on the order of the tensors")
	}
}

// TestCheckedFlips damages each bit of a file in turn.
func TestCheckedFlips(t *testing.T) {
	good := mustWriteChecked(t, odd, fewTensors...)
	for bit := range 8 * len(good) {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		f, err := open(b)
		if err != nil {
			continue
		}
		if err := f.Verify(); !f.Checked() || !errors.Is(err, ErrDamaged) {
			t.Errorf("bit %d of byte %d, in %q: checked %v, error %v", bit%8, bit/8, b[max(0, bit/8-20):bit/8+1], f.Checked(), err)
		}
	}
}

// TestOpenVerified damages a file on the disk: its first bytes, which tell the format, a middle byte and the last.
func TestOpenVerified(t *testing.T) {
	good := mustWriteChecked(t, nil, fewTensors...)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	for bit := -1; bit < 8*len(good); bit++ {
		if bit == 8*16 {
			bit = 8 * (len(good) - 4)
		}
		b := bytes.Clone(good)
		if bit >= 0 {
			b[bit/8] ^= 1 << (bit % 8)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := OpenVerified(path)
		if bit < 0 {
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
		} else if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("bit %d of byte %d: error %v", bit%8, bit/8, err)
		}
	}
	for n := range good {
		if f, err := open(good[:n]); err == nil {
			t.Errorf("the first %d bytes are a file: %v", n, f.Verify())
		}
	}
}

// A file that lost a key of its checksum, or has another text for it, is no unchecked one.
func TestCheckedKeys(t *testing.T) {
	good := string(mustWriteChecked(t, map[string]string{"k": "v"}, fewTensors...))
	_, digest, _ := strings.Cut(good, `sha256":"`)
	digest = digest[:64]
	for old, text := range map[string]string{
		`"gobeit.checked":"sha256"`:            `"gobeit-checked":"sha256"`,
		`"gobeit.sha256":"` + digest:           `"gobeit-sha256":"` + digest,
		`"gobeit.sha256":"` + digest[:2]:       `"gobeit.sha256":"` + digest[:1] + `\`,
		`"gobeit.sha256":"`:                    `"gobeit.sha256":["`,
		`"` + digest + `"`:                     `"` + digest[:62] + `" `,
		`"gobeit.sha256":"` + digest + `","k"`: `"gobeit.sha256":"` + strings.ToUpper(digest) + `","k"`,
		`"` + digest:                           `"\u00` + fmt.Sprintf("%x", digest[0]) + digest[6:],
		`{"__metadata__"`:                      `{"--metadata--"`,
	} {
		b := strings.Replace(good, old, text, 1)
		if b == good {
			t.Fatalf("no %s in the file", old)
		}
		f, err := open([]byte(b))
		if err == nil {
			err = f.Verify()
		}
		if err == nil {
			t.Errorf("%s in place of %s goes unnoticed", text, old)
		}
	}
	for _, key := range []string{metaDigest, metaChecked} {
		for name, write := range map[string]func(io.Writer, map[string]string, []Named) error{"WriteSafetensors": WriteSafetensors, "WriteChecked": WriteChecked} {
			if err := write(io.Discard, map[string]string{key: "x"}, nil); err == nil || !strings.Contains(err.Error(), name+": metadata \""+key) {
				t.Errorf("%s with metadata %s: error %v", name, key, err)
			}
		}
	}
}

func TestCheckedToFullDisk(t *testing.T) {
	whole := len(mustWriteChecked(t, odd, fewTensors...))
	for n := range whole {
		if err := WriteChecked(&limitedWriter{n}, odd, fewTensors); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d of %d bytes fit: error %v", n, whole, err)
		}
	}
	if err := WriteChecked(&limitedWriter{whole}, odd, fewTensors); err != nil {
		t.Error(err)
	}
	// A tensor that is wrong, or cannot be read, writes nothing.
	broken := errors.New("lost")
	for _, wrong := range []Named{
		{Name: "x", DType: F32, Shape: []int{2}, Float32s: []float32{1}},
		{Name: "x", DType: U8, Shape: []int{1}, Read: func() ([]byte, error) { return nil, broken }},
	} {
		var b bytes.Buffer
		if err := WriteChecked(&b, nil, []Named{wrong}); err == nil || b.Len() > 0 {
			t.Errorf("error %v after %d bytes", err, b.Len())
		}
	}
}

// Values that differ between the two readings would make a file that is damaged from its beginning.
func TestCheckedTensorsChange(t *testing.T) {
	calls := byte(0)
	err := WriteChecked(io.Discard, nil, []Named{{Name: "x", DType: U8, Shape: []int{1}, Read: func() ([]byte, error) {
		calls++
		return []byte{calls}, nil
	}}})
	if err == nil || !strings.Contains(err.Error(), "changed") || calls != 2 {
		t.Errorf("error %v after %d readings", err, calls)
	}
}

// What Verify finds when the file was cut short or replaced while it was open.
func TestVerifyOfAFileThatShrinks(t *testing.T) {
	good := mustWriteChecked(t, nil, fewTensors...)
	for _, left := range []int{0, 4, 40, len(good) - 1} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := os.WriteFile(path, good, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := OpenSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(left)); err != nil {
			t.Fatal(err)
		}
		if err := f.Verify(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes left: error %v", left, err)
		}
		f.Close()
	}
	r := &swapped{bytes.NewReader(good)}
	f, err := ReadSafetensors(r, int64(len(good)), "x")
	if err != nil {
		t.Fatal(err)
	}
	r.ReaderAt = bytes.NewReader(bytes.Repeat([]byte{0xff}, len(good)))
	if err := f.Verify(); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("other bytes: error %v", err)
	}
}

type swapped struct{ io.ReaderAt }

func TestCheckedStreams(t *testing.T) {
	values := make([]float32, 4<<20)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	allocated := bytesAllocated(func() {
		err := WriteFileAtomic(path, func(w io.Writer) error {
			return WriteChecked(w, nil, []Named{{Name: "a", DType: F32, Shape: []int{len(values)}, Float32s: values}})
		})
		if err != nil {
			t.Error(err)
		}
		f, err := OpenVerified(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	})
	if allocated > 3<<20 {
		t.Errorf("allocated %d bytes for a file of %d", allocated, 4*len(values))
	}
}

// checkedFile is a file of n bytes of float32s.
func checkedFile(b *testing.B, n int) string {
	values := make([]float32, n/4)
	for i := range values {
		values[i] = float32(i) * 0.37
	}
	path := filepath.Join(b.TempDir(), "m.safetensors")
	err := WriteFileAtomic(path, func(w io.Writer) error {
		return WriteChecked(w, nil, []Named{{Name: "a", DType: F32, Shape: []int{len(values)}, Float32s: values}})
	})
	if err != nil {
		b.Fatal(err)
	}
	return path
}

func BenchmarkVerify(b *testing.B) {
	const n = 256 << 20
	f, err := OpenSafetensors(checkedFile(b, n))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.SetBytes(n)
	for b.Loop() {
		if err := f.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteSafetensors(b *testing.B) {
	for name, write := range map[string]func(io.Writer, map[string]string, []Named) error{"checked=false": WriteSafetensors, "checked=true": WriteChecked} {
		b.Run(name, func(b *testing.B) {
			values := make([]float32, 32<<20)
			b.SetBytes(4 * int64(len(values)))
			for b.Loop() {
				if err := write(io.Discard, nil, []Named{{Name: "a", DType: F32, Shape: []int{len(values)}, Float32s: values}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
