package state

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// ReadTorchZip reads a file of torch.save since PyTorch 1.6, or of torch.jit.save,
// of size bytes from r, which stays in use until the last read. It is an archive
// with one pickle that describes the tensors, and one uncompressed file for each
// storage. No program of it is run. Errors call the file name.
func ReadTorchZip(r io.ReaderAt, size int64, name string) (*File, error) {
	return readZipKey(r, size, name, "")
}

// readZipKey is ReadTorchZip for the tensors under a key.
func readZipKey(r io.ReaderAt, size int64, name, key string) (*File, error) {
	f, err := readTorchZip(r, size, name, key)
	if err != nil {
		return nil, fmt.Errorf("state: %s: %w", name, err)
	}
	return f, nil
}

func readTorchZip(r io.ReaderAt, size int64, name, key string) (*File, error) {
	a, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	order, ok := a.files[a.folder+"byteorder"] // since PyTorch 2.1
	if ok {
		text, err := a.read(order, 16)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(text, []byte("little")) {
			return nil, fmt.Errorf("the byte order is %q, only \"little\" can be read", text)
		}
	}
	root, err := a.pickle()
	if err != nil {
		return nil, err
	}
	return pickled{r, size, name, TorchZip, !ok, root}.file(key)
}

// archive is a zip file whose names all start with the same folder.
type archive struct {
	r      io.ReaderAt
	size   int64
	files  map[string]*zip.File
	folder string // with a slash; may be empty
}

const describing = "data.pkl" // the pickle

func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("zip archive: %w (file truncated?)", err)
	}
	a := &archive{r: r, size: size, files: map[string]*zip.File{}}
	found := false
	for _, f := range z.File {
		if a.files[f.Name] != nil {
			return nil, fmt.Errorf("zip archive: %s stands twice", quote(f.Name))
		}
		a.files[f.Name] = f
		if folder, ok := strings.CutSuffix(f.Name, describing); ok && strings.Count(folder, "/") <= 1 && (folder == "" || strings.HasSuffix(folder, "/")) {
			if found {
				return nil, fmt.Errorf("zip archive: there are two files %s", describing)
			}
			a.folder, found = folder, true
		}
	}
	if !found {
		return nil, fmt.Errorf("this is a zip archive with no %s in it, so PyTorch did not write it: unpack it with unzip, and name the weights in it", describing)
	}
	return a, nil
}

// place returns where the bytes of a file of the archive lie. PyTorch does not
// compress; what is compressed could be of any size and is refused.
func (a *archive) place(f *zip.File) (offset, size int64, err error) {
	if f.Method != zip.Store {
		return 0, 0, fmt.Errorf("%s is compressed, which PyTorch's files are not: load it in Python, and save it again with torch.save", quote(f.Name))
	}
	if offset, err = f.DataOffset(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", quote(f.Name), err)
	}
	if n := f.UncompressedSize64; n != f.CompressedSize64 || n > uint64(a.size) || offset > a.size-int64(n) {
		return 0, 0, fmt.Errorf("%s: %d bytes at %d run past the %d bytes of the file", quote(f.Name), n, offset, a.size)
	}
	return offset, int64(f.UncompressedSize64), nil
}

// read returns a file of at most limit bytes.
func (a *archive) read(f *zip.File, limit int64) ([]byte, error) {
	offset, size, err := a.place(f)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are sensible", quote(f.Name), size, limit)
	}
	b := make([]byte, size)
	return b, readFullAt(a.r, b, offset)
}

// pickle reads the description of the tensors.
func (a *archive) pickle() (any, error) {
	offset, size, err := a.place(a.files[a.folder+describing])
	if err != nil {
		return nil, err
	}
	known := map[string]*storage{}
	root, n, err := pickle.Read(io.NewSectionReader(a.r, offset, size), size, torchHooks(func(id pickle.Tuple) (*storage, error) {
		s, err := storageOf(id)
		if err != nil {
			return nil, err
		}
		if old := known[s.key]; old != nil {
			if old.dtype != s.dtype || old.length != s.length {
				return nil, fmt.Errorf("storage %s is of two kinds", quote(s.key))
			}
			return old, nil
		}
		f := a.files[a.folder+"data/"+s.key]
		if f == nil {
			return nil, fmt.Errorf("storage %s is missing", quote(s.key))
		}
		var got int64
		if s.offset, got, err = a.place(f); err != nil {
			return nil, err
		}
		if want := s.bytes(); got < want {
			return nil, fmt.Errorf("storage %s: %d elements of %s take %d bytes, %d are there", quote(s.key), s.length, s.dtype, want, got)
		}
		known[s.key] = s
		return s, nil
	}))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", quote(a.folder+describing), err)
	}
	if n != size {
		return nil, errors.New("bytes follow the pickle")
	}
	return root, nil
}
