package data

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// pixelPNG is an image of one pixel.
func pixelPNG(t testing.TB) []byte {
	t.Helper()
	list, err := filepath.Glob("testdata/pillow/*.png")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d images: %v", len(list), err)
	}
	content, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestIndex(t *testing.T) {
	image := &fstest.MapFile{Data: pixelPNG(t)}
	fsys := fstest.MapFS{"dog/1.png": image, "dog/0.png": image, "elsewhere/x.png": image}
	const text = `{"class": "dog", "files": ["1.png", "0.png"]}` + "\n\n" + `{"class": "cat", "files": ["elsewhere/x.png"]}` + "\n"
	ds, err := Index(fsys, strings.NewReader(text), "images/train.jsonl", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range ds.Len() {
		got = append(got, ds.Classes()[ds.Label(i)]+" "+ds.Name(i))
		if _, err := Decoded(ds, i); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff([]string{"cat elsewhere/x.png", "dog dog/1.png", "dog dog/0.png"}, got); d != "" {
		t.Error(d)
	}
}

func TestIndexRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"class": "a", "files": ["x.png"`, "line 1"},
		{`{"class": "a", "files": ["x.png"]}` + "\n" + `{"class": "a", "files": ["y.png"]}`, "two lines"},
		{`{"class": "a", "files": ["../x.png"]}`, "../x.png"},
		{`{"class": "a", "files": ["/etc/passwd"]}`, "/etc/passwd"},
		{`{"class": "../a", "files": ["x.png"]}`, "no name of a class"},
		{`{"files": ["x.png"]}`, "no name of a class"},
		{`{"class": "a", "files": []}`, "no images"},
		{`{"class": "a", "file": ["x.png"]}`, `line 1: json: unknown field "file"; wanted is`},
		{`{"class": "a", "files": ["x.png"]}` + "\n" + `{"clas": "b", "files": ["y.png"]}`, `line 2: json: unknown field "clas"`},
		{`{"class": "a", "files": ["x.png"]} {}`, "line 1: holds more than one value"},
		{`{"class": "a", "files": ["x.png"]}` + "\n" + `{"class": "b", "files": ["y.png", "./x.png"]}`, `line 2: "./x.png" is no name`},
		{"", "no images"},
	} {
		_, err := Index(fstest.MapFS{}, strings.NewReader(c.text), "train.jsonl", DefaultLimits)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "train.jsonl: ") {
			t.Errorf("%s: error %v, want %q", c.text, err, c.want)
		}
	}
}

// A file of two classes is an error; several times in one class it is not. A mark at the beginning does not count.
func TestIndexTwice(t *testing.T) {
	fsys := tree("x.png", "y.png")
	if _, err := Index(fsys, strings.NewReader(`{"class": "b", "files": ["x.png"]}`+"\n"+`{"class": "a", "files": ["y.png", "x.png"]}`), "l.jsonl", DefaultLimits); err == nil ||
		!strings.Contains(err.Error(), `l.jsonl: "x.png" is of class "a" and of class "b"`) {
		t.Errorf("error %v", err)
	}
	ds, err := Index(fsys, strings.NewReader("\ufeff"+`{"class": "a", "files": ["x.png", "x.png"]}`), "l.jsonl", DefaultLimits)
	if err != nil || ds.Len() != 2 {
		t.Errorf("error %v", err)
	}
}

func TestOpenIndex(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.png"), pixelPNG(t), 0o666); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "list.jsonl")
	if err := os.WriteFile(index, []byte(`{"class": "a", "files": ["x.png", "none.png"]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := Open(index, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Train.Sample(0); err != nil {
		t.Error(err)
	}
	if _, err := src.Train.Sample(1); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(dir, "none.png")) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"class": "a", "files": ["x.png"]}`))
	f.Add([]byte("{\"class\": \"a\"}\n{}"))
	f.Add([]byte("{\"class\": \"\xe9\\n\", \"files\": [\"x.png\"]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ds, err := Index(fstest.MapFS{}, bytes.NewReader(text), "x.jsonl", DefaultLimits)
		if err != nil {
			return
		}
		for i := range ds.Len() {
			if l := ds.Label(i); l < 0 || l >= len(ds.Classes()) {
				t.Fatalf("label %d of %d classes", l, len(ds.Classes()))
			}
		}
	})
}
