package data

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// TarFS is a file system over a .tar file, which is indexed once and then read in any order. It holds regular files and the folders that their
// names imply. Links, devices, sparse files, and names that lead outside the archive are left out. The later of two entries with the same name
// counts. An image whose name is not UTF-8 is an error.
type TarFS struct {
	r     io.ReaderAt
	nodes map[string]*tarNode
}

// tarNode is one file or folder of a TarFS; it is its own fs.FileInfo and fs.DirEntry.
type tarNode struct {
	name     string
	dir      bool
	offset   int64
	size     int64
	modified time.Time
	children []fs.DirEntry // of a folder, in order of name
}

// NewTarFS indexes the archive of the given size in r, which must stay open. A damaged or truncated archive is an error.
func NewTarFS(r io.ReaderAt, size int64) (*TarFS, error) {
	t := &TarFS{r: r, nodes: map[string]*tarNode{".": {name: ".", dir: true}}}
	in := io.NewSectionReader(r, 0, size)
	reader := tar.NewReader(in)
	for count := 0; ; count++ {
		h, err := reader.Next()
		if err == io.EOF {
			if size > 0 && !marked(in) {
				return nil, fmt.Errorf("after %d entries: no mark of the end, the archive was cut short: %w", count, io.ErrUnexpectedEOF)
			}
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, fmt.Errorf("after %d entries: %w", count, err)
		}
		offset, err := in.Seek(0, io.SeekCurrent) // the reader buffers nothing: this is where the file's bytes start
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || sparse(h) {
			continue
		}
		if h.Size < 0 || h.Size > size-offset {
			return nil, fmt.Errorf("after %d entries: %q claims %d bytes where %d are left: %w", count, h.Name, h.Size, size-offset, io.ErrUnexpectedEOF)
		}
		if err := t.add(h, offset); err != nil {
			return nil, err
		}
	}
	t.link()
	return t, nil
}

// marked reports whether the last block that was read is one of the two blocks of zeros that end an archive. The tar package also accepts the end
// of the file as the end of the archive.
func marked(in *io.SectionReader) bool {
	var block [512]byte
	at, err := in.Seek(0, io.SeekCurrent)
	if err != nil || at < int64(len(block)) {
		return false
	}
	_, err = in.ReadAt(block[:], at-int64(len(block)))
	return err == nil && block == [512]byte{}
}

// sparse reports whether the bytes of a file are not in one piece.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// add enters a file and the folders above it.
func (t *TarFS) add(h *tar.Header, offset int64) error {
	name := path.Clean(h.Name)
	if !utf8.ValidString(name) && isImage(name) && !slices.ContainsFunc(strings.Split(name, "/"), hidden) {
		return notUTF8(name)
	}
	if !fs.ValidPath(name) || name == "." || strings.Count(name, "/") > maxDepth {
		return nil
	}
	if old := t.nodes[name]; old != nil && old.dir {
		return nil
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if old := t.nodes[dir]; old != nil && !old.dir {
			return nil // a file cannot hold files
		}
	}
	for dir := path.Dir(name); t.nodes[dir] == nil; dir = path.Dir(dir) {
		t.nodes[dir] = &tarNode{name: path.Base(dir), dir: true}
	}
	t.nodes[name] = &tarNode{name: path.Base(name), offset: offset, size: h.Size, modified: h.ModTime}
	return nil
}

// link fills in the children of each folder.
func (t *TarFS) link() {
	for name, n := range t.nodes {
		if name != "." {
			parent := t.nodes[path.Dir(name)]
			parent.children = append(parent.children, n)
		}
	}
	for _, n := range t.nodes {
		slices.SortFunc(n.children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
}

// Open opens a file or folder; it may be called by several goroutines at once.
func (t *TarFS) Open(name string) (fs.File, error) {
	n, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return &tarDir{n: n}, nil
	}
	return &tarFile{io.NewSectionReader(t.r, n.offset, n.size), n}, nil
}

// Stat describes a file or folder without opening it.
func (t *TarFS) Stat(name string) (fs.FileInfo, error) { return t.find("stat", name) }

// ReadDir lists a folder in order of name.
func (t *TarFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	return slices.Clone(n.children), nil
}

func (t *TarFS) find(op, name string) (*tarNode, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := t.nodes[name]
	if n == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

func (n *tarNode) Name() string               { return n.name }
func (n *tarNode) Size() int64                { return n.size }
func (n *tarNode) ModTime() time.Time         { return n.modified }
func (n *tarNode) IsDir() bool                { return n.dir }
func (n *tarNode) Sys() any                   { return nil }
func (n *tarNode) Type() fs.FileMode          { return n.Mode().Type() }
func (n *tarNode) Info() (fs.FileInfo, error) { return n, nil }

func (n *tarNode) Mode() fs.FileMode {
	if n.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// tarFile is an open file; reading, seeking and ReadAt come from the section of the archive.
type tarFile struct {
	*io.SectionReader
	n *tarNode
}

func (f *tarFile) Stat() (fs.FileInfo, error) { return f.n, nil }
func (f *tarFile) Close() error               { return nil }

// tarDir is an open folder; next is the child that is listed next.
type tarDir struct {
	n    *tarNode
	next int
}

func (d *tarDir) Stat() (fs.FileInfo, error) { return d.n, nil }
func (d *tarDir) Close() error               { return nil }

func (d *tarDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.n.name, Err: errors.New("is a folder")}
}

func (d *tarDir) ReadDir(count int) ([]fs.DirEntry, error) {
	rest := d.n.children[d.next:]
	if count > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(count, len(rest))]
	}
	d.next += len(rest)
	return slices.Clone(rest), nil
}
