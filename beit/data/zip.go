package data

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// maxLinkName bounds the name that a symbolic link of a .zip file leads to.
const maxLinkName = 4096

// ZipFS is a file system over a .zip file. It holds regular files, symbolic links to them, and the folders that names imply. Names that lead outside
// the archive are left out, and so are files in compressions other than Deflate.
type ZipFS struct{ *archiveFS }

// NewZipFS indexes the archive of the given size in r, which must stay open. An encrypted file in it is an error.
func NewZipFS(r io.ReaderAt, size int64) (*ZipFS, error) {
	archive, err := zip.NewReader(r, size)
	if archive == nil { // names that lead outside are an error beside the archive
		return nil, err
	}
	t := newArchive()
	for _, f := range archive.File {
		if err := enterZip(t, f); err != nil {
			return nil, err
		}
	}
	t.finish()
	return &ZipFS{t}, nil
}

// enterZip enters a file into an archive.
func enterZip(t *archiveFS, f *zip.File) error {
	name := f.Name
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, `\`, "/") // of programs that break the rule
	}
	mode := f.Mode()
	n := &node{mode: 0o444, size: int64(f.UncompressedSize64), modified: f.Modified, content: zipContent{f}}
	const encrypted = 1
	switch {
	case mode.IsDir() || strings.HasSuffix(name, "/") || hiddenPath(name):
		return nil
	case f.Flags&encrypted != 0:
		return fmt.Errorf("%q is encrypted: unpack the archive with its password first", f.Name)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		t.left.add(leftKind{name: "file in " + zipMethod(f.Method), many: "files in " + zipMethod(f.Method), remedy: "unpack the archive first", warn: true}, f.Name)
		return nil
	case n.size < 0:
		return fmt.Errorf("%q claims %d bytes", f.Name, f.UncompressedSize64)
	case mode&fs.ModeSymlink != 0:
		target, err := readZipLink(f)
		if err != nil {
			return fmt.Errorf("link %q: %w", f.Name, err)
		}
		n.mode, n.size, n.target = fs.ModeSymlink|0o777, 0, target
	case !mode.IsRegular():
		t.left.add(notRegular(mode), f.Name)
		return nil
	}
	t.place(name, n)
	return nil
}

// readZipLink reads the name that a symbolic link leads to, which is its content.
func readZipLink(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	target, err := io.ReadAll(io.LimitReader(r, maxLinkName))
	return string(target), err
}

// zipMethod names a compression.
func zipMethod(method uint16) string {
	names := map[uint16]string{9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz"}
	if name, ok := names[method]; ok {
		return name
	}
	return fmt.Sprintf("compression %d", method)
}

// zipContent reads a file.
type zipContent struct{ f *zip.File }

func (c zipContent) open(*node) (io.Reader, error) { return c.f.Open() }
