package pack

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/data"
)

// coloured is a PNG file of w x h with a gradient.
func coloured(t *testing.T, w, h int) *fstest.MapFile {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8(w + h), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func open(t *testing.T, fsys fstest.MapFS) *data.Source {
	t.Helper()
	src, err := data.OpenFS(fsys, "images", data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func reopen(t *testing.T, archive []byte) *data.Source {
	t.Helper()
	fsys, err := data.NewTarFS(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	src, err := data.OpenFS(fsys, "packed", data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// listed shows what a dataset has: names without their endings, classes, sizes.
func listed(t *testing.T, ds data.Dataset) (list []string) {
	t.Helper()
	for i := range ds.Len() {
		m, err := data.Decoded(ds, i)
		if err != nil {
			t.Fatal(err)
		}
		class := "-"
		if l := ds.Label(i); l >= 0 {
			class = ds.Classes()[l]
		}
		list = append(list, fmt.Sprintf("%s %s %dx%d", ds.Name(i), class, m.W, m.H))
	}
	return list
}

func TestWrite(t *testing.T) {
	src := open(t, fstest.MapFS{
		"train/a/wide.png": coloured(t, 80, 41), "train/a/tall.jpg": coloured(t, 40, 90), "train/b/sub/small.png": coloured(t, 20, 10),
		"train/b/wide.jpg": coloured(t, 30, 20), "train/b/wide.png": coloured(t, 30, 20), "val/a/x.JPEG": coloured(t, 33, 33), "val/b/y.png": coloured(t, 20, 21),
		"train/a/broken.png": {Data: []byte("no image")},
	})
	var skipped []string
	var b bytes.Buffer
	done, err := Write(t.Context(), &b, src.Train, src.Val, Options{Size: 20, Skipped: func(s data.Skipped) { skipped = append(skipped, s.Name) }})
	if want := (Written{Images: 7, Skipped: 1, Bytes: int64(b.Len())}); err != nil || done != want {
		t.Fatalf("%+v, %v, want %+v", done, err, want)
	}
	if !slices.Equal(skipped, []string{"train/a/broken.png"}) {
		t.Errorf("skipped %q", skipped)
	}
	packed := reopen(t, b.Bytes())
	got := append(listed(t, packed.Train), listed(t, packed.Val)...)
	want := []string{
		"train/a/tall.jpg a 20x45", "train/a/wide.jpg a 39x20", "train/b/wide.jpg b 30x20", "train/b/wide.png.jpg b 30x20", "train/b/sub/small.jpg b 20x10",
		"val/a/x.JPEG a 20x20", "val/b/y.jpg b 20x21",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// PNG files hold what the transforms' resize gives, and packing again changes nothing.
func TestPNG(t *testing.T) {
	src := open(t, fstest.MapFS{"p/wide.png": coloured(t, 80, 41), "q/small.png": coloured(t, 10, 8)})
	var b, again bytes.Buffer
	if _, err := Write(t.Context(), &b, src.Train, nil, Options{Size: 16, PNG: true}); err != nil {
		t.Fatal(err)
	}
	packed := reopen(t, b.Bytes())
	for i := range src.Train.Len() {
		want, err := data.Decoded(src.Train, i)
		if err != nil {
			t.Fatal(err)
		}
		if want.H > 16 {
			want = data.Resize(want, want.Bounds(), 31, 16, data.Bicubic)
		}
		got, err := data.Decoded(packed.Train, i)
		if err != nil || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s differs (%v)", src.Train.Name(i), err)
		}
	}
	if _, err := Write(t.Context(), &again, packed.Train, nil, Options{Size: 16, PNG: true}); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("packed again it differs (%v)", err)
	}
}

// Classes that are not folders become folders.
func TestIndexed(t *testing.T) {
	fsys := fstest.MapFS{"1.png": coloured(t, 9, 9), "2.png": coloured(t, 9, 9)}
	ds, err := data.Index(fsys, strings.NewReader(`{"class": "cat", "files": ["2.png"]}`+"\n"+`{"class": "dog", "files": ["1.png"]}`), "images/x.jsonl", data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := Write(t.Context(), &b, ds, nil, Options{Size: 8, PNG: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := listed(t, reopen(t, b.Bytes()).Train), []string{"cat/2.png cat 8x8", "dog/1.png dog 8x8"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWriteFails(t *testing.T) {
	good := open(t, fstest.MapFS{"p/a.png": coloured(t, 9, 9)}).Train
	bad := open(t, fstest.MapFS{"p/a.png": {Data: []byte("no image")}}).Train
	if _, err := Write(t.Context(), io.Discard, bad, nil, Options{Size: 8}); err == nil || !strings.Contains(err.Error(), "none of the 1 images") {
		t.Errorf("nothing can be read: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, io.Discard, good, nil, Options{Size: 8}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Write(t.Context(), full{}, good, nil, Options{Size: 8}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
	twice := named{good, []string{"p/a.jpg", "p/a.jpg"}, nil}
	if _, err := Write(t.Context(), io.Discard, twice, nil, Options{Size: 8}); !errors.Is(err, errTwice) {
		t.Errorf("two images of one name: %v", err)
	}
}

// named has the first image of a dataset under other names, of the only class if there is one.
type named struct {
	data.Dataset
	names, classes []string
}

func (n named) Len() int                        { return len(n.names) }
func (n named) Name(i int) string               { return n.names[i] }
func (n named) Classes() []string               { return n.classes }
func (n named) Label(int) int                   { return len(n.classes) - 1 }
func (n named) Sample(int) (data.Sample, error) { return n.Dataset.Sample(0) }

// Images of the same name but for their endings get names of their own, however many there are.
func TestRenamed(t *testing.T) {
	good := open(t, fstest.MapFS{"p/a.png": coloured(t, 9, 9)}).Train
	same := named{good, []string{"p/a.png", "p/a.png.jpg", "p/a.jpg", "p/a.png-2.jpg", "p/a.bmp", "p/a.bmp.gif", "p/a.bmp.tif"}, nil}
	var b bytes.Buffer
	if _, err := Write(t.Context(), &b, same, nil, Options{Size: 8}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for files := tar.NewReader(&b); ; {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, h.Name)
	}
	want := []string{"p/a.png-3.jpg", "p/a.png.jpg", "p/a.jpg", "p/a.png-2.jpg", "p/a.bmp.jpg", "p/a.bmp.gif.jpg", "p/a.bmp.tif.jpg"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A class or image whose name would lead out of its folder is refused before anything is written.
func TestNamesThatAreNoFolders(t *testing.T) {
	good := open(t, fstest.MapFS{"p/a.png": coloured(t, 9, 9)}).Train
	for _, c := range []struct {
		name  string
		class []string
		want  string
	}{
		{"a.png", []string{"../x"}, `"a.png": its class "../x"`}, {"a.png", []string{"x/y"}, `"x/y"`}, {"a.png", []string{""}, `its class ""`},
		{"a.png", []string{"."}, `its class "."`}, {"a.png", []string{".."}, `its class ".."`}, {"a.png", []string{"x\x00"}, `"x\x00"`},
		{"a\x00.png", nil, `"a\x00.png"`}, {"..", nil, `"..": no file`}, {"", []string{"x"}, `"": no file`},
	} {
		odd := named{good, []string{c.name}, c.class}
		for part, sets := range map[string][2]data.Dataset{"train": {odd, nil}, "val": {good, odd}} {
			var b bytes.Buffer
			_, err := Write(t.Context(), &b, sets[0], sets[1], Options{Size: 8})
			if err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
				t.Errorf("%q of classes %q in %s: %v, %d bytes, want an error with %s and none", c.name, c.class, part, err, b.Len(), c.want)
			}
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
