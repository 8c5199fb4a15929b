package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
	"github.com/gobeit/gobeit/tensor"
)

// What the arrays of an archive may take in memory: so many bytes, or so many times the size of the file, whichever is more. Numbers of models
// and images shrink to a third at best, masks of zeros and ones to a hundredth.
const (
	inflatedBytes = 256 << 20
	inflatedRatio = 100
)

// deflateRatio is how much larger than the compressed bytes the content can be at most (zlib's documentation: 1032 to 1).
const deflateRatio = 1032

// LoadZip returns the arrays of a .npz file by name, as tensors on dev like those of Load.
func LoadZip(dev *tensor.Device, path string) (map[string]*tensor.Tensor, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	defer f.Close()
	arrays, err := readFile(dev, f)
	if err != nil {
		return nil, fmt.Errorf("npy: %s: %w", path, err)
	}
	return arrays, nil
}

func readFile(dev *tensor.Device, f *os.File) (map[string]*tensor.Tensor, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readZip(dev, f, info.Size(), memoryLimit(info.Size()))
}

// memoryLimit is what the arrays of an archive of size bytes may take in memory.
func memoryLimit(size int64) int64 {
	if size > math.MaxInt64/inflatedRatio {
		return math.MaxInt64
	}
	return max(inflatedBytes, size*inflatedRatio)
}

// readZip reads all arrays of an archive of size bytes. They may take limit bytes in memory.
func readZip(dev *tensor.Device, r io.ReaderAt, size, limit int64) (arrays map[string]*tensor.Tensor, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an archive of arrays (.npz): %w", err)
	}
	arrays = map[string]*tensor.Tensor{}
	defer func() {
		if err != nil {
			for _, t := range arrays {
				t.Release()
			}
			arrays = nil
		}
	}()
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !ok:
			return arrays, fmt.Errorf("%.60q is not an array (.npy)", f.Name)
		case arrays[name] != nil:
			return arrays, fmt.Errorf("two arrays are named %.60q", name)
		}
		t, err := readMember(dev, f, size, limit)
		if err != nil {
			return arrays, fmt.Errorf("array %.60q: %w", name, err)
		}
		arrays[name] = t
		limit -= int64(t.Size()) * elementSize
	}
	return arrays, nil
}

// readMember reads one array of an archive of total bytes.
func readMember(dev *tensor.Device, f *zip.File, total, limit int64) (*tensor.Tensor, error) {
	packed, size := f.CompressedSize64, f.UncompressedSize64
	switch {
	case f.Flags&1 != 0:
		return nil, errors.New("it is encrypted")
	case packed > uint64(total) || f.Method == zip.Store && size != packed || size/deflateRatio > packed:
		return nil, fmt.Errorf("%d bytes, compressed to %d, cannot be in a file of %d", size, packed, total)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return read(dev, r, int64(size), limit)
}

// SaveZip writes tensors under their names to a .npz file without compression, each like Save does. A file at path is replaced at the end, as
// a whole or not at all. The bytes depend on names and contents alone.
func SaveZip(path string, arrays map[string]*tensor.Tensor) error {
	return saveZip(path, arrays, zip.Store)
}

// SaveZipCompressed is SaveZip with compression (deflate).
func SaveZipCompressed(path string, arrays map[string]*tensor.Tensor) error {
	return saveZip(path, arrays, zip.Deflate)
}

func saveZip(path string, arrays map[string]*tensor.Tensor, method uint16) error {
	return state.WriteFileAtomic(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, name := range slices.Sorted(maps.Keys(arrays)) {
			if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
				return fmt.Errorf("%.60q cannot be the name of an array", name)
			}
			member, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: method})
			if err == nil {
				err = write(member, arrays[name])
			}
			if err != nil {
				return fmt.Errorf("array %.60q: %w", name, err)
			}
		}
		return z.Close()
	})
}
