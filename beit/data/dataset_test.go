package data

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// pngOf is a PNG file of a w x h image in one colour.
func pngOf(w, h int, c color.NRGBA) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

var smallPNG = pngOf(3, 2, color.NRGBA{10, 20, 30, 255})

func tree(names ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, n := range names {
		fsys[n] = &fstest.MapFile{Data: smallPNG}
	}
	return fsys
}

// tarOf writes the files of fsys, in order of name.
func tarOf(t testing.TB, fsys fstest.MapFS) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(fsys); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listing is the name and class of each item, one a line.
func listing(ds Dataset) []string {
	if ds == nil {
		return nil
	}
	out := []string{}
	for i := range ds.Len() {
		line := ds.Name(i)
		if label := ds.Label(i); label >= 0 {
			line += " " + ds.Classes()[label]
		}
		out = append(out, line)
	}
	return out
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name       string
		files      []string
		train, val []string
	}{
		{"classes", []string{"b/2.png", "b/1.JPG", "a/x/9.jpeg", "a/z.png", "a/notes.txt", "a/.hidden.png"},
			[]string{"a/z.png a", "a/x/9.jpeg a", "b/1.JPG b", "b/2.png b"}, nil},
		{"flat", []string{"2.png", "1.png", "sub/3.png", "sub2/4.png"}, []string{"1.png", "2.png", "sub/3.png", "sub2/4.png"}, nil},
		{"one folder", []string{"photos/2.png", "photos/1.png"}, []string{"photos/1.png", "photos/2.png"}, nil},
		{"classes in one folder", []string{"set/b/2.png", "set/a/1.png", "set/a/x/3.png", "set/notes.txt"},
			[]string{"set/a/1.png a", "set/a/x/3.png a", "set/b/2.png b"}, nil},
		{"images and folders in one folder", []string{"set/2.png", "set/a/1.png", "set/b/1.png"},
			[]string{"set/2.png", "set/a/1.png", "set/b/1.png"}, nil},
		{"parts", []string{"train/a/1.png", "train/b/2.png", "val/b/3.png"},
			[]string{"train/a/1.png a", "train/b/2.png b"}, []string{"val/b/3.png b"}},
		{"parts of flat", []string{"train/1.png", "val/2.png"}, []string{"train/1.png"}, []string{"val/2.png"}},
		{"parts below", []string{"set/train/a/1.png", "set/train/b/1.png", "set/val/a/2.png"},
			[]string{"set/train/a/1.png a", "set/train/b/1.png b"}, []string{"set/val/a/2.png a"}},
		{"prefix of a class", []string{"a/1.png", "a-b/1.png", "a.b/1.png"}, []string{"a/1.png a", "a-b/1.png a-b", "a.b/1.png a.b"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := tree(c.files...)
			archive := tarOf(t, fsys)
			tarred, err := NewTarFS(bytes.NewReader(archive), int64(len(archive)))
			if err != nil {
				t.Fatal(err)
			}
			for kind, fsys := range map[string]fs.FS{"folder": fsys, "tar": tarred} {
				src, err := OpenFS(fsys, "set", DefaultLimits)
				if err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				if d := cmp.Diff(c.train, listing(src.Train)); d != "" {
					t.Errorf("%s: training images (-want +got):\n%s", kind, d)
				}
				if d := cmp.Diff(c.val, listing(src.Val)); d != "" {
					t.Errorf("%s: validation images (-want +got):\n%s", kind, d)
				}
				if m, err := Decoded(src.Train, 0); err != nil || m.W != 3 || m.H != 2 {
					t.Errorf("%s: first image: %v, %v", kind, m, err)
				}
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	whole := tarOf(t, tree("a/1.png", "b/1.png"))
	write("heic/1.heic", nil)
	write("only/val/1.png", smallPNG)
	write("below/set/val/1.png", smallPNG)
	write("below/set/test/1.png", smallPNG)
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, text string
		is         error
	}{
		{filepath.Join(dir, "missing"), "no such folder or file", fs.ErrNotExist},
		{filepath.Join(dir, "empty"), "found no file", ErrNoImages},
		{filepath.Join(dir, "heic"), `such as "1.heic"`, ErrNoImages},
		{filepath.Join(dir, "only"), "no folder train", nil},
		{filepath.Join(dir, "below"), filepath.Join("below", "set", "val"), nil},
		{write("cut.tar", whole[:1000]), "not a readable .tar file", io.ErrUnexpectedEOF},
		{write("text.tar", []byte(strings.Repeat("no tar ", 200))), "not a readable .tar file", tar.ErrHeader},
		{write("empty.tar", nil), "no images found", ErrNoImages},
	} {
		src, err := Open(c.path, DefaultLimits)
		if err == nil {
			t.Errorf("%s: opened: %v", c.path, listing(src.Train))
			continue
		}
		text := err.Error()
		if !strings.Contains(text, c.text) || !strings.Contains(text, c.path) || strings.Contains(text, "\n") {
			t.Errorf("%s: error %q should contain the path and %q", c.path, text, c.text)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: error %q is not %v", c.path, text, c.is)
		}
	}
	src, err := Open(write("good.tar", whole), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSymlinks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"real/1.png", "set/a/2.png", "set/b/3.png"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, smallPNG, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"set/a/linked": filepath.Join(dir, "real"), // a folder elsewhere
		"set/b/loop":   filepath.Join(dir, "set"),  // a folder above
		"set/b/gone":   filepath.Join(dir, "gone"), // nothing
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("this system has no symbolic links: %v", err)
		}
	}
	src, err := Open(filepath.Join(dir, "set"), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/2.png a", "a/linked/1.png a", "b/3.png b"}
	if d := cmp.Diff(want, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestTooManyFolders: links in each folder to the next could double their number 64 times.
func TestTooManyFolders(t *testing.T) {
	fsys := tree("a/1.png", "b/1.png", "c/1.png")
	if err := (&walker{fsys: fsys, room: 4}).walk(".", nil); err != nil {
		t.Errorf("4 folders in room for 4: %v", err)
	}
	if err := (&walker{fsys: fsys, room: 3}).walk(".", nil); err == nil || !strings.HasPrefix(err.Error(), "c: too many folders") {
		t.Errorf("4 folders in room for 3: %v", err)
	}
}

// Names that are not UTF-8 are read, but in a file system that cannot: there they are counted.
func TestNotUTF8(t *testing.T) {
	for name, counted := range map[string]bool{
		"a/caf\xe9.jpg": true, "./caf\xe9/1.png": true, "a/caf\xe9.txt": true, "a/.caf\xe9.png": false, "__MACOSX/caf\xe9.png": false, "caf\u00e9/1.png": false,
	} {
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		for _, n := range []string{"a/1.png", name} {
			if err := w.WriteHeader(&tar.Header{Name: n, Size: int64(len(smallPNG)), Mode: 0o644, Format: tar.FormatGNU}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(smallPNG); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		inTar, err := NewTarFS(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
		if err != nil {
			t.Fatal(err)
		}
		src, err := OpenFS(inTar, "set", DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(namesOf(src.Train), path.Clean(name)); got != (isImage(name) && !hiddenPath(name)) {
			t.Errorf("%q in an archive: found %v", name, got)
		}
		for i := range src.Train.Len() {
			if _, err := src.Train.Sample(i); err != nil {
				t.Error(err)
			}
		}
		if src, err = OpenFS(tree("a/1.png", path.Clean(name)), "set", DefaultLimits); err != nil {
			t.Fatal(err)
		}
		if got := len(src.LeftOut) == 1 && src.LeftOut[0].Kind == "name that is not UTF-8"; got != counted {
			t.Errorf("%q in a file system for UTF-8 alone: left out are %v", name, src.LeftOut)
		}
	}
}

// namesOf lists the names of all images.
func namesOf(ds Dataset) (names []string) {
	for i := range ds.Len() {
		names = append(names, ds.Name(i))
	}
	return names
}

func TestSplit(t *testing.T) {
	fsys := fstest.MapFS{}
	for i := range 50 {
		fsys[fmt.Sprintf("%02d.png", i)] = &fstest.MapFile{Data: smallPNG}
	}
	ds, err := Folder(fsys, ".", "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	train, val, err := Split(ds, 0.1, 7)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 45 || val.Len() != 5 {
		t.Fatalf("parts of %d and %d, want 45 and 5", train.Len(), val.Len())
	}
	seen := map[string]int{}
	for _, name := range append(listing(train), listing(val)...) {
		seen[name]++
	}
	if len(seen) != 50 {
		t.Errorf("%d different images in both parts, want 50", len(seen))
	}
	_, again, _ := Split(ds, 0.1, 7)
	_, other, _ := Split(ds, 0.1, 8)
	if d := cmp.Diff(listing(val), listing(again)); d != "" {
		t.Errorf("the same seed gave another split:\n%s", d)
	}
	if cmp.Equal(listing(val), listing(other)) {
		t.Error("another seed gave the same split")
	}
	for _, f := range []float64{0, 1, -1, 2} {
		if _, _, err := Split(ds, f, 1); err == nil {
			t.Errorf("fraction %g was accepted", f)
		}
	}
	if _, _, err := Split(Subset(ds, []int{3}), 0.5, 1); err == nil {
		t.Error("one image was split")
	}
}

// counting counts how often images are decoded.
type counting struct {
	Dataset
	n int
}

func (c *counting) Sample(i int) (Sample, error) { c.n++; return c.Dataset.Sample(i) }

func TestCached(t *testing.T) {
	ds, err := Folder(tree("1.png", "2.png", "3.png"), ".", "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	below := &counting{Dataset: ds}
	c := Cached(below, 2*3*2*3) // room for two images of 3x2
	for range 3 {
		for i := range 3 {
			if m, err := Decoded(c, i); err != nil || m.Pix[0] != 10 {
				t.Fatalf("image %d: %v, %v", i, m, err)
			}
		}
	}
	if below.n != 3+1+1 { // the third one found no room
		t.Errorf("%d images decoded, want 5", below.n)
	}
}

func TestTarFS(t *testing.T) {
	archive := tarOf(t, tree("a/1.png", "a/b/2.png", "3.png"))
	fsys, err := NewTarFS(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, "a/1.png", "a/b/2.png", "3.png"); err != nil {
		t.Fatal(err)
	}
}

// TestTarCutShort: wherever an archive is cut before its mark of the end, that is an error.
func TestTarCutShort(t *testing.T) {
	archive := tarOf(t, tree("1.png", "2.png"))
	end := len(archive) - 1024 // the mark: two blocks of zeros
	for n := 64; n <= end; n += 64 {
		if _, err := NewTarFS(bytes.NewReader(archive[:n]), int64(n)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d of %d bytes: error %v", n, len(archive), err)
		}
	}
}

// TestTarHostile gives archives whose entries try to do harm.
func TestTarHostile(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, content string) {
		h.Size, h.Mode = int64(len(content)), 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.Header{Name: "../../etc/passwd.png"}, "x")
	add(tar.Header{Name: "/abs.png"}, "x")
	add(tar.Header{Name: "./good/../good/1.png"}, "old")
	add(tar.Header{Name: "good/1.png"}, "new")
	add(tar.Header{Name: "good"}, "a file where a folder is")
	add(tar.Header{Name: "good/1.png/below.png"}, "below a file")
	add(tar.Header{Name: "."}, "x")
	add(tar.Header{Name: "good/link.png", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "")
	add(tar.Header{Name: "good/hard.png", Typeflag: tar.TypeLink, Linkname: "good/1.png"}, "")
	add(tar.Header{Name: "good/device.png", Typeflag: tar.TypeChar}, "")
	add(tar.Header{Name: strings.Repeat("d/", 500) + "deep.png"}, "x")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fsys, err := NewTarFS(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{".", "abs.png", "good", "good/1.png", "good/hard.png", "good/link.png"}, names); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, name := range []string{"good/1.png", "good/hard.png"} {
		if content, err := fs.ReadFile(fsys, name); err != nil || string(content) != "new" {
			t.Errorf("%s is %q, %v", name, content, err)
		}
	}
	if _, err := fs.ReadFile(fsys, "good/link.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to a file of the system: %v", err)
	}
	kinds := map[string]int{}
	for _, o := range fsys.left.list() {
		kinds[o.Kind] = o.Count
	}
	if d := cmp.Diff(map[string]int{"name that leads outside the archive": 1, "file with the name of a folder": 1, "file below a file or link": 1, "device": 1,
		"file in too many folders": 1}, kinds); d != "" {
		t.Errorf("left out (-want +got):\n%s", d)
	}

	huge := tarOf(t, tree("1.png"))
	copy(huge[124:136], []byte{0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) // size 2^63-1, base 256
	copy(huge[148:156], "        ")
	sum := 0
	for _, v := range huge[:512] {
		sum += int(v)
	}
	copy(huge[148:156], fmt.Sprintf("%06o\x00 ", sum))
	if _, err := NewTarFS(bytes.NewReader(huge), int64(len(huge))); err == nil {
		t.Error("a file larger than its archive was accepted")
	}
}

func FuzzTar(f *testing.F) {
	whole := tarOf(f, tree("a/1.png", "b/c/2.png"))
	f.Add(whole)
	f.Add(whole[:700])
	f.Add([]byte{})
	f.Add(slices.Concat(whole, archiveOf(f, image1("a/1.png"), entry{name: "b/2.png", link: "a/1.png", kind: tar.TypeLink}, entry{name: "c", link: "a", kind: tar.TypeSymlink})))
	f.Add(slices.Concat(sparseHeader("b/0.bmp", 512, 0, 1024), make([]byte, 1024)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		fsys, err := NewTarFS(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			return
		}
		if err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			file, err := fsys.Open(name)
			if d.Type()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			defer file.Close()
			if info, _ := file.Stat(); info.IsDir() {
				return nil
			}
			_, err = io.Copy(io.Discard, io.LimitReader(file, 1<<20)) // sparse files can be of any size
			return err
		}); err != nil {
			t.Errorf("an archive that opened cannot be read: %v", err)
		}
	})
}

// classed is a dataset of one image for each label.
type classed struct {
	Dataset
	classes []string
	labels  []int
}

func (c classed) Len() int          { return len(c.labels) }
func (c classed) Label(i int) int   { return c.labels[i] }
func (c classed) Classes() []string { return c.classes }

func (c classed) Sample(i int) (Sample, error) {
	return Sample{Image: NewRGB(1, 1), Label: c.labels[i]}, nil
}

func TestRelabel(t *testing.T) {
	some := classed{Procedural(4, 16, 1), []string{"cat", "dog"}, []int{1, 0, -1, 1}}
	for _, c := range []struct {
		name        string
		ds          classed
		classes     []string
		want        []int
		wantClasses []string
	}{
		{"other order", some, []string{"ape", "dog", "cat"}, []int{1, 2, -1, 1}, []string{"ape", "dog", "cat"}},
		{"same", some, []string{"cat", "dog"}, []int{1, 0, -1, 1}, []string{"cat", "dog"}},
		{"no classes to compare with", some, nil, []int{1, 0, -1, 1}, []string{"cat", "dog"}},
		{"no classes", classed{some.Dataset, nil, []int{-1}}, []string{"cat"}, []int{-1}, nil},
	} {
		got, err := Relabel(c.ds, c.classes)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var labels []int
		for i := range got.Len() {
			labels = append(labels, got.Label(i))
			if s, err := got.Sample(i); err != nil || s.Label != got.Label(i) {
				t.Errorf("%s: sample %d has label %d, want %d: %v", c.name, i, s.Label, got.Label(i), err)
			}
		}
		if d := cmp.Diff(c.want, labels); d != "" {
			t.Errorf("%s: labels (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(c.wantClasses, got.Classes()); d != "" {
			t.Errorf("%s: classes (-want +got):\n%s", c.name, d)
		}
	}
	if _, err := Relabel(some, []string{"ape", "cat"}); err == nil || !strings.Contains(err.Error(), `class "dog"`) {
		t.Errorf("a class without counterpart: error %v", err)
	}
}
