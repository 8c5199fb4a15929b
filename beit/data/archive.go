package data

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// maxLinks bounds how many symbolic links of an archive one name leads through.
const maxLinks = 40

// archiveFS is the file system of an archive that was indexed: files, symbolic links, and the folders that their names imply. Its names are bytes: they
// need not be UTF-8. Links lead to what the archive holds, and nowhere else.
type archiveFS struct {
	root *node
	left leftOut // what the archive has and this file system has not
}

// node is a file, link or folder of an archiveFS; it is its own fs.FileInfo and fs.DirEntry.
type node struct {
	name     string
	mode     fs.FileMode
	size     int64
	offset   int64 // for content
	modified time.Time
	content  content
	target   string // of a symbolic link
	parent   *node
	children map[string]*node // of a folder
	sorted   []fs.DirEntry    // of a folder, in order of name
	fresh    bool             // version 0.1 did not find it
}

// content reads files of an archive. It may be used by several goroutines at once.
type content interface {
	open(n *node) (io.Reader, error)
}

func newArchive() *archiveFS {
	root := &node{name: ".", mode: fs.ModeDir | 0o555, children: map[string]*node{}}
	root.parent = root
	return &archiveFS{root: root}
}

// cleanName returns the name of an archive's entry as a name of fs: without the / or ./ that it begins with. It is empty where the name leads
// outside the archive or to no file.
func cleanName(name string) string {
	name = path.Clean(strings.TrimLeft(name, "/"))
	if name == "." || name == ".." || strings.HasPrefix(name, "../") || strings.Contains(name, "\x00") {
		return ""
	}
	return name
}

// place enters n under the name of an archive's entry. The later of two entries with the same name counts.
func (t *archiveFS) place(entry string, n *node) {
	name := cleanName(entry)
	switch {
	case name == "" && path.Clean(entry) != "." && path.Clean(entry) != "/":
		t.left.add(leftKind{name: "name that leads outside the archive", many: "names that lead outside the archive", warn: true}, entry)
		return
	case name == "":
		return
	case strings.Count(name, "/") > maxDepth:
		t.left.add(leftKind{name: "file in too many folders", many: "files in too many folders", warn: true}, name)
		return
	}
	dir := t.root
	elements := strings.Split(name, "/")
	for _, e := range elements[:len(elements)-1] {
		next := dir.children[e]
		if next == nil {
			next = &node{name: e, mode: fs.ModeDir | 0o555, parent: dir, children: map[string]*node{}}
			dir.children[e] = next
		}
		if !next.IsDir() {
			t.left.add(leftKind{name: "file below a file or link", many: "files below files or links", warn: true}, name)
			return
		}
		dir = next
	}
	n.name, n.parent = elements[len(elements)-1], dir
	if old := dir.children[n.name]; old != nil && old.IsDir() {
		t.left.add(leftKind{name: "file with the name of a folder", many: "files with names of folders", warn: true}, name)
		return
	}
	dir.children[n.name] = n
}

// finish sorts the folders: now the archive may be read, by several goroutines at once.
func (t *archiveFS) finish() {
	var sort func(dir *node)
	sort = func(dir *node) {
		dir.sorted = make([]fs.DirEntry, 0, len(dir.children))
		for _, n := range dir.children {
			dir.sorted = append(dir.sorted, n)
			if n.IsDir() {
				sort(n)
			}
		}
		slices.SortFunc(dir.sorted, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	sort(t.root)
}

// resolve finds what name leads to from dir, through links. It is nil where that is nothing.
func (t *archiveFS) resolve(dir *node, name string, links *int) *node {
	if strings.HasPrefix(name, "/") {
		dir = t.root
	}
	for e := range strings.SplitSeq(name, "/") {
		switch {
		case dir == nil || !dir.IsDir():
			return nil
		case e == "" || e == ".":
			continue
		case e == "..":
			dir = dir.parent
			continue
		}
		next := dir.children[e]
		if next != nil && next.mode&fs.ModeSymlink != 0 {
			if *links--; *links < 0 {
				return nil
			}
			next = t.resolve(dir, next.target, links)
		}
		dir = next
	}
	return dir
}

// find returns the file or folder of a name.
func (t *archiveFS) find(op, name string) (*node, error) {
	if !validName(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	links := maxLinks
	n := t.resolve(t.root, name, &links)
	if n == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// validName is fs.ValidPath, but for names that are not UTF-8.
func validName(name string) bool {
	if name == "." {
		return true
	}
	for e := range strings.SplitSeq(name, "/") {
		if e == "" || e == "." || e == ".." {
			return false
		}
	}
	return true
}

// Open opens a file or folder; it may be called by several goroutines at once.
func (t *archiveFS) Open(name string) (fs.File, error) {
	n, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.IsDir() {
		return &treeDir{n: n}, nil
	}
	r, err := n.content.open(n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &treeFile{r, n}, nil
}

// Stat describes a file or folder without opening it.
func (t *archiveFS) Stat(name string) (fs.FileInfo, error) { return t.find("stat", name) }

// ReadDir lists a folder in order of name.
func (t *archiveFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	return slices.Clone(n.sorted), nil
}

func (t *archiveFS) leftOut() *leftOut { return &t.left }

func (n *node) Name() string               { return n.name }
func (n *node) Size() int64                { return n.size }
func (n *node) Mode() fs.FileMode          { return n.mode }
func (n *node) ModTime() time.Time         { return n.modified }
func (n *node) IsDir() bool                { return n.mode.IsDir() }
func (n *node) Sys() any                   { return nil }
func (n *node) Type() fs.FileMode          { return n.mode.Type() }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }

// treeFile is an open file.
type treeFile struct {
	io.Reader
	n *node
}

func (f *treeFile) Stat() (fs.FileInfo, error) { return f.n, nil }

func (f *treeFile) Close() error {
	if c, ok := f.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// treeDir is an open folder; next is the child that is listed next.
type treeDir struct {
	n    *node
	next int
}

func (d *treeDir) Stat() (fs.FileInfo, error) { return d.n, nil }
func (d *treeDir) Close() error               { return nil }

func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.n.name, Err: errors.New("is a folder")}
}

func (d *treeDir) ReadDir(count int) ([]fs.DirEntry, error) {
	rest := d.n.sorted[d.next:]
	if count > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(count, len(rest))]
	}
	d.next += len(rest)
	return slices.Clone(rest), nil
}
