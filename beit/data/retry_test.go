package data

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// flaky is a file system whose files fail when they are opened or read, a few times.
type flaky struct {
	fstest.MapFS
	err   error
	fails int  // times
	read  bool // not opening fails, but reading
}

func (f *flaky) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if f.fails == 0 || err != nil {
		return file, err
	}
	f.fails--
	if f.read {
		return failing{file, f.err}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
}

type failing struct {
	fs.File
	err error
}

func (f failing) Read([]byte) (int, error) { return 0, &fs.PathError{Op: "read", Err: f.err} }

// withoutPauses makes tries follow each other at once.
func withoutPauses(t *testing.T) {
	pauses := readPauses
	t.Cleanup(func() {
		readPauses = pauses
		gaveUp.Store(0)
	})
	readPauses = []time.Duration{0, 0, 0}
}

// A read error of a moment is no bad image; one that stays, or another one, is.
func TestReadErrorsOfAMoment(t *testing.T) {
	withoutPauses(t)
	for _, c := range []struct {
		fsys *flaky
		ok   bool
	}{
		{&flaky{err: syscall.EIO, fails: 3}, true},
		{&flaky{err: syscall.ESTALE, fails: 1, read: true}, true},
		{&flaky{err: syscall.ETIMEDOUT, fails: 2, read: true}, true},
		{&flaky{err: syscall.EIO, fails: 4}, false},
		{&flaky{err: syscall.EACCES, fails: 1}, false},
		{&flaky{err: io.ErrUnexpectedEOF, fails: 1, read: true}, false},
	} {
		c.fsys.MapFS = tree("1.png")
		o := &opener{fsys: c.fsys, name: "set", limits: DefaultLimits}
		_, err := o.files([]string{"1.png"}).Sample(0)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, c.fsys.err) {
			t.Errorf("%v %d times: error %v", c.fsys.err, c.fsys.fails, err)
		}
	}
}

// An image that cannot be decoded is read once.
func TestDecodeErrorsAreNotRetried(t *testing.T) {
	calls := 0
	if _, err := retried(func() (int, error) {
		calls++
		_, err := Decode(bytes.Repeat([]byte("x"), 100), DefaultLimits)
		return 0, err
	}); err == nil || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

// flakyStat is a file system where asking for a file fails a few times, and where some names are links.
type flakyStat struct {
	fstest.MapFS
	err   error
	fails map[string]int // times, by name
}

func (f *flakyStat) Stat(name string) (fs.FileInfo, error) {
	if f.fails[name] > 0 {
		f.fails[name]--
		return nil, &fs.PathError{Op: "stat", Path: name, Err: f.err}
	}
	return f.MapFS.Stat(name)
}

func (f *flakyStat) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := f.MapFS.ReadDir(name)
	for i, e := range list {
		if strings.HasPrefix(e.Name(), "link") {
			list[i] = linkEntry{e}
		}
	}
	return list, err
}

type linkEntry struct{ fs.DirEntry }

func (linkEntry) Type() fs.FileMode { return fs.ModeSymlink }

// Asking for a file is tried again as reading is. A link leads nowhere only if what it leads to is not there.
func TestStatErrorsOfAMoment(t *testing.T) {
	withoutPauses(t)
	const all = 1 << 20
	for _, c := range []struct {
		name  string
		err   error
		fails map[string]int
		train []string // nil: an error
		left  map[string]int
	}{
		{"a link", syscall.ESTALE, map[string]int{"b/link.png": 3}, []string{"a/1.png a", "b/2.png b", "b/link.png b"}, map[string]int{}},
		{"a link to a folder", syscall.EIO, map[string]int{"linked": 2}, []string{"a/1.png a", "b/2.png b", "b/link.png b", "linked/3.png linked"}, map[string]int{}},
		{"a folder", syscall.EIO, map[string]int{"a": 3, ".": 1}, []string{"a/1.png a", "b/2.png b", "b/link.png b"}, map[string]int{}},
		{"metadata and tables", syscall.EIO, map[string]int{"metadata.csv": 3, imagenetSolution: 3}, []string{"a/1.png x", "b/2.png y"}, map[string]int{"image that metadata.csv does not name": 1}},
		{"not there", fs.ErrNotExist, map[string]int{"b/link.png": all}, []string{"a/1.png a", "b/2.png b"}, map[string]int{"link that leads nowhere": 1}},
		{"not allowed", fs.ErrPermission, map[string]int{"b/link.png": all}, []string{"a/1.png a", "b/2.png b"}, map[string]int{"link that cannot be followed": 1}},
		{"around in a circle", syscall.ELOOP, map[string]int{"b/link.png": all}, []string{"a/1.png a", "b/2.png b"}, map[string]int{"link that cannot be followed": 1}},
		{"for ever", syscall.EIO, map[string]int{"b/link.png": all}, nil, nil},
	} {
		names := []string{"a/1.png", "b/2.png", "b/link.png"}
		fsys := &flakyStat{MapFS: tree(names...), err: c.err, fails: c.fails}
		if c.fails["linked"] > 0 {
			fsys.MapFS["linked/3.png"] = &fstest.MapFile{Data: smallPNG}
		}
		if c.fails["metadata.csv"] > 0 {
			fsys.MapFS["metadata.csv"] = &fstest.MapFile{Data: []byte("file_name,label\na/1.png,x\nb/2.png,y\n")}
		}
		src, err := OpenFS(fsys, "set", DefaultLimits)
		if (err == nil) != (c.train != nil) {
			t.Errorf("%s: error %v", c.name, err)
		}
		if err != nil {
			continue
		}
		if d := cmp.Diff(c.train, listing(src.Train)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(c.left, kinds(src.LeftOut)); d != "" {
			t.Errorf("%s: left out (-want +got):\n%s", c.name, d)
		}
	}
}

// A list whose first file cannot be asked for says so, not that the file is not there.
func TestListStatErrors(t *testing.T) {
	withoutPauses(t)
	for fails, want := range map[int]error{3: nil, 1 << 20: syscall.EIO} {
		fsys := &flakyStat{MapFS: tree("1.png"), err: syscall.EIO, fails: map[string]int{"1.png": fails}}
		o := newOpener(fsys, "set", DefaultLimits, nil)
		if _, err := o.openList(strings.NewReader("file\n1.png\n"), "l.csv"); !errors.Is(err, want) {
			t.Errorf("%d times: error %v, want %v", fails, err, want)
		}
	}
}

// countedLists counts how often folders are listed.
type countedLists struct {
	fstest.MapFS
	lists map[string]int
}

func (c *countedLists) ReadDir(name string) ([]fs.DirEntry, error) {
	c.lists[name]++
	return c.MapFS.ReadDir(name)
}

// Each folder is listed once: there are some with millions of files, on slow disks.
func TestFoldersAreListedOnce(t *testing.T) {
	for _, names := range [][]string{
		{"1.png", "2.png"}, {"a/1.png", "b/2.png"}, {"set/a/1.png", "set/b/2.png"}, {"train/a/1.png", "val/a/1.png"}, {"set/images/train/1.png", "set/labels/x.txt"},
		{imagenetFolder + "/train/a/1.png", imagenetFolder + "/train/b/1.png", imagenetFolder + "/val/1.png"},
	} {
		for how, open := range map[string]func(fs.FS) (*Source, error){
			"":           func(fsys fs.FS) (*Source, error) { return OpenFS(fsys, "set", DefaultLimits) },
			" as before": func(fsys fs.FS) (*Source, error) { return openFSAsBefore(fsys, "set", DefaultLimits, nil) },
		} {
			fsys := &countedLists{with(imagenetSolution, "ImageId,PredictionString\n1,a 1 2\n", names...), map[string]int{}}
			if _, err := open(fsys); err != nil {
				t.Fatal(err)
			}
			for dir, n := range fsys.lists {
				if n != 1 {
					t.Errorf("%v%s: %q is listed %d times", names, how, dir, n)
				}
			}
			if fsys.lists["."] == 0 {
				t.Errorf("%v%s: the root is not listed", names, how)
			}
		}
	}
}
