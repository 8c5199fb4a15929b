package data

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Lists of lines of JSON give what tables give.
func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		train, val []string
	}{
		{"splits", `{"file_name": "1.png", "label": "a", "split": "train"}
{"file_name": "2.png", "label": "b", "split": " Training "}
{"file_name": "3.png", "label": "b", "split": "valid"}
{"file_name": "4.png", "label": "b", "split": "test"}`, []string{"1.png a", "2.png b"}, []string{"3.png b"}},
		{"a column of another meaning", `{"file_name": "1.png", "dataset": "val"}
{"file_name": "2.png", "dataset": "holiday"}`, []string{"1.png", "2.png"}, nil},
		{"numbers", `{"file_name": "1.png", "label": 3.0}
{"file_name": "2.png", "label": 1e3}
{"file_name": "3.png", "label": 10000000.0}
{"file_name": "4.png", "label": 0.5}`, []string{"1.png 3", "2.png 1000", "3.png 10000000", "4.png 0.5"}, nil},
		{"large whole numbers", `{"file_name": "1.png", "label": 9007199254740992}
{"file_name": "2.png", "label": 9007199254740993}`, []string{"1.png 9007199254740992", "2.png 9007199254740993"}, nil},
		{"truth", `{"file_name": "1.png", "label": true}
{"file_name": "2.png", "label": false}`, []string{"1.png true", "2.png false"}, nil},
		{"a key of several spellings", `{"File Name": "x", "fileName": "y", "file_name": "1.png", "Label": "a", "label": "b", "LABEL": "c"}`, []string{"1.png c"}, nil},
		{"no labels that tables have", `{"file_name": "1.png", "label": null, "class": [1]}`, []string{"1.png"}, nil},
	} {
		for range 8 { // the order of a map's keys is another one each time
			src, err := openTable(tree("1.png", "2.png", "3.png", "4.png"), "l.JSONL", c.text)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				break
			}
			if d := cmp.Diff(c.train, listing(src.Train)); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, d)
				break
			}
			if d := cmp.Diff(c.val, listing(src.Val)); d != "" {
				t.Errorf("%s: validation (-want +got):\n%s", c.name, d)
				break
			}
		}
	}
	for text, want := range map[string]string{
		`{"file_name": "1.png", "split": 7}`:            `l.jsonl: line 1: split "7" is none of`,
		`{"file_name": "1.png"}` + "\n" + `{"file": 1`:  "l.jsonl: line 2: unexpected end of JSON input",
		`{"file_name": "1.png"}` + "\n\n" + `{"x": ""}`: "l.jsonl: line 3: no name of a file: wanted is a key file_name",
	} {
		if _, err := openTable(tree("1.png"), "l.jsonl", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// Labels and names of files whose bytes are not UTF-8 stay apart, in every kind of source.
func TestLabelsNotUTF8(t *testing.T) {
	png := &fstest.MapFile{Data: smallPNG}
	want := []string{`\xe8`, `\xe9`}
	lines := "{\"file_name\": \"1.png\", \"label\": \"\xe9\"}\n{\"file_name\": \"2.png\", \"label\": \"\xe8\"}\n"
	table := "file_name,label\n1.png,\xe9\n2.png,\xe8\n"
	for name, open := range map[string]func() (*Source, error){
		"table": func() (*Source, error) { return openTable(tree("1.png", "2.png"), "l.csv", table) },
		"lines": func() (*Source, error) { return openTable(tree("1.png", "2.png"), "l.jsonl", lines) },
		"metadata.csv": func() (*Source, error) {
			return OpenFS(with("metadata.csv", table, "1.png", "2.png"), "set", DefaultLimits)
		},
		"metadata.jsonl": func() (*Source, error) {
			return OpenFS(with("metadata.jsonl", lines, "1.png", "2.png"), "set", DefaultLimits)
		},
		"index": func() (*Source, error) {
			fsys := rawNames{fstest.MapFS{"E9/1.png": png, "E8/2.png": png}}
			text := "{\"class\": \"\xe9\", \"files\": [\"1.png\"]}\n{\"class\": \"\xe8\", \"files\": [\"2.png\"]}\n"
			ds, err := Index(fsys, strings.NewReader(text), "l.jsonl", DefaultLimits)
			return &Source{Train: ds}, err
		},
	} {
		src, err := open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, src.Train.Classes()); d != "" {
			t.Errorf("%s: classes (-want +got):\n%s", name, d)
		}
		readAll(t, src)
	}
}

// rawNames has files whose names are bytes that are not UTF-8, under the digits of these bytes.
type rawNames struct{ fstest.MapFS }

func (r rawNames) Open(name string) (f fs.File, err error) {
	return r.MapFS.Open(strings.NewReplacer("\xe9", "E9", "\xe8", "E8").Replace(name))
}

func (r rawNames) Stat(name string) (fs.FileInfo, error) {
	return fs.Stat(r.MapFS, strings.NewReplacer("\xe9", "E9", "\xe8", "E8").Replace(name))
}

func TestUnquoted(t *testing.T) {
	for quoted, want := range map[string]string{
		`""`: "", `"a\n\u00e9"`: "a\né", "\"\xe9\"": "\xe9", "\"a\\n\xe9\xe8b\\u00e9\xff\"": "a\n\xe9\xe8b\u00e9\xff", "\"é\xe9\"": "é\xe9",
	} {
		if got, err := unquoted([]byte(quoted)); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", quoted, got, err, want)
		}
	}
}

// The case of a file's ending does not count.
func TestEndingsInUpperCase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1.png"), smallPNG, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"LIST.CSV": "file,label\n1.png,a\n", "LIST.TSV": "file\tlabel\n1.png\ta\n", "LIST.JSONL": `{"file_name": "1.png", "label": "a"}`,
		"INDEX.JSONL": `{"class": "a", "files": ["1.png"]}`, "SET.TAR": string(archiveOf(t, image1("a/1.png"), image1("b/1.png"))),
		"SET.TGZ": string(gzipOf(t, archiveOf(t, image1("a/1.png"), image1("b/1.png")))), "SET.ZIP": string(zipOf(t, zip.FileHeader{Name: "a/1.png"}, zip.FileHeader{Name: "b/1.png"})),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		src, err := Open(filepath.Join(dir, name), DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if src.Train.Label(0) != 0 || !IsSource(name) {
			t.Errorf("%s: label %d", name, src.Train.Label(0))
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}
