package explore

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/nn/state"
)

// Stamp tells whether an image is still the one that was encoded.
type Stamp struct {
	Name string // in its dataset
	Size int64  // of the file
	Time int64  // when it was changed, in nanoseconds since 1970
}

// Index keeps the features of images, for one model and one source of images. It belongs to one goroutine.
type Index struct {
	key  string
	rows map[string]indexed // by name
}

// indexed is an entry.
type indexed struct {
	stamp    Stamp
	features infer.Features
}

// stampJSON is a stamp in a file. The bytes of a name need not be UTF-8.
type stampJSON struct {
	Name       []byte
	Size, Time int64
}

// Metadata of an index file.
const (
	indexVersion = "1"
	metaIndex    = "gobeit.index"
	metaKey      = "gobeit.index.key"
)

// ErrOtherIndex is wrapped by the error of an index of another model, or of other images.
var ErrOtherIndex = errors.New("the index is of another model, of other images or of images turned otherwise")

// NewIndex returns an empty index. key says what entries depend on besides their images, the checksum of the model above all.
func NewIndex(key string) *Index { return &Index{key, map[string]indexed{}} }

// ReadIndex reads an index file. A file that is not there is an empty index. A damaged file, and one with another key, is an error.
func ReadIndex(path, key string) (*Index, error) {
	x, err := OpenIndex(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return NewIndex(key), nil
	case err != nil:
		return nil, err
	case x.key != key:
		return nil, fmt.Errorf("%s: %w", path, ErrOtherIndex)
	}
	return x, nil
}

// OpenIndex reads an index file of any model; IsOf tells whether it is of one. A missing file is an error, and so is a damaged one.
func OpenIndex(path string) (*Index, error) {
	f, err := state.OpenVerified(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	meta := f.Metadata()
	if !f.Checked() || meta[metaIndex] != indexVersion {
		return nil, fmt.Errorf("%s: not an index of this version", path)
	}
	x := NewIndex(meta[metaKey])
	if err := x.fill(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

// fill takes the entries of a file.
func (x *Index) fill(f *state.File) error {
	text, err := f.Bytes("stamps")
	if err != nil {
		return err
	}
	var stamps []stampJSON
	if err := json.Unmarshal(text, &stamps); err != nil {
		return fmt.Errorf("stamps: %w", err)
	}
	cls, err := f.Float32s("cls")
	if err != nil {
		return err
	}
	mean, err := f.Float32s("mean")
	if err != nil {
		return err
	}
	n := len(stamps)
	if len(cls) != len(mean) || n == 0 && len(cls) > 0 || n > 0 && len(cls)%n != 0 {
		return fmt.Errorf("%d stamps, %d and %d numbers: they do not belong together", n, len(cls), len(mean))
	}
	d := len(cls) / max(n, 1)
	if err := cmp.Or(finite(cls, d), finite(mean, d)); err != nil {
		return err
	}
	for i, s := range stamps {
		name := string(s.Name)
		x.rows[name] = indexed{Stamp{name, s.Size, s.Time}, infer.Features{CLS: cls[i*d : (i+1)*d], Mean: mean[i*d : (i+1)*d]}}
	}
	return nil
}

// Get returns the features of an image. ok is false where they are missing, or the image has changed.
func (x *Index) Get(s Stamp) (f infer.Features, ok bool) {
	row, ok := x.rows[s.Name]
	return row.features, ok && row.stamp == s
}

// Put keeps the features of an image.
func (x *Index) Put(s Stamp, f infer.Features) {
	x.rows[s.Name] = indexed{s, infer.Features{CLS: f.CLS, Mean: f.Mean}}
}

// Write writes the index as a file, whole or not at all.
func (x *Index) Write(path string) error {
	stamps := []stampJSON{}
	var cls, mean []float32
	for _, name := range slices.Sorted(maps.Keys(x.rows)) {
		row := x.rows[name]
		stamps = append(stamps, stampJSON{[]byte(name), row.stamp.Size, row.stamp.Time})
		cls, mean = append(cls, row.features.CLS...), append(mean, row.features.Mean...)
	}
	text, err := json.Marshal(stamps)
	if err != nil {
		return err
	}
	n := len(stamps)
	shape := []int{n, len(cls) / max(n, 1)}
	return state.WriteFileAtomic(path, func(w io.Writer) error {
		return state.WriteChecked(w, map[string]string{metaIndex: indexVersion, metaKey: x.key}, []state.Named{
			{Name: "cls", DType: state.F32, Shape: shape, Float32s: cls},
			{Name: "mean", DType: state.F32, Shape: shape, Float32s: mean},
			{Name: "stamps", DType: state.U8, Shape: []int{len(text)}, Raw: text},
		})
	})
}
