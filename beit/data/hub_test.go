package data

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestHub(t *testing.T) {
	for _, c := range []struct {
		name       string
		fsys       fstest.MapFS
		train, val []string
		left       map[string]int
	}{
		{"jsonl, flat", with("metadata.jsonl", "{\"file_name\": \"1.png\", \"label\": \"cat\"}\n{\"file_name\": \"2.png\", \"label\": \"dog\"}\n", "1.png", "2.png"),
			[]string{"1.png cat", "2.png dog"}, nil, map[string]int{}},
		{"csv in the split", with("train/metadata.csv", "file_name,label\nx/1.png,1\n2.png,0\n", "train/x/1.png", "train/2.png"),
			[]string{"train/2.png 0", "train/x/1.png 1"}, nil, map[string]int{}},
		{"one for all splits", with("metadata.csv", "file_name,label\ntrain/1.png,cat\ntrain/2.png,dog\nvalidation/3.png,dog\n", "train/1.png", "train/2.png", "validation/3.png"),
			[]string{"train/1.png cat", "train/2.png dog"}, []string{"validation/3.png dog"}, map[string]int{}},
		{"images that it does not name", with("metadata.csv", "file_name,label\n1.png,cat\n2.png,dog\n", "1.png", "2.png", "3.png"),
			[]string{"1.png cat", "2.png dog"}, nil, map[string]int{"image that metadata.csv does not name": 1}},
		{"texts, no labels", with("metadata.jsonl", `{"file_name": "1.png", "text": "a cat"}`, "1.png"), []string{"1.png"}, nil, map[string]int{}},
		{"another table of the name", with("metadata.csv", "photographer,year\nme,2020\n", "a/1.png", "b/2.png"), []string{"a/1.png a", "b/2.png b"}, nil, map[string]int{"metadata.csv that is not used for lack of a column file_name": 1}},
	} {
		src, err := OpenFS(c.fsys, "set", DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		checkSource(t, c.name, src, c.train, c.val, c.left)
	}
	broken := with("metadata.jsonl", "{\"file_name\": \"1.png\", \"label\": \"cat\"}\n{\"file_name\"", "1.png")
	if _, err := OpenFS(broken, "set", DefaultLimits); err == nil || !strings.Contains(err.Error(), "set/metadata.jsonl: line 2") {
		t.Errorf("a broken file: error %v", err)
	}
}

// A metadata file of another program, or one whose first line is damaged, is left out and told, once, and the folders count.
func TestForeignMetadata(t *testing.T) {
	images := []string{"train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png"}
	for _, c := range []struct{ name, text string }{
		{"metadata.csv", "photographer,year\nme,2020\nyou\n"},
		{"metadata.csv", "camera;\"exposure\nx;y;z"},
		{"metadata.csv", "filename,label\n1.png\n"},
		{"metadata.csv", "\x00\x01\x02\n\xff"},
		{"metadata.csv", ""},
		{"metadata.jsonl", "{\"camera\": 1, \"for\": \"file_name\"}\n{\"file_name\": \"1.png\"}\n"},
		{"metadata.jsonl", "{\"camera\""},
		{"metadata.jsonl", "[1, 2]"},
	} {
		for _, dir := range []string{"", "train/"} {
			src, err := OpenFS(with(dir+c.name, c.text, images...), "set", DefaultLimits)
			if err != nil {
				t.Errorf("%s%s %q: %v", dir, c.name, c.text, err)
				continue
			}
			if d := cmp.Diff([]string{"train/a/1.png a", "train/b/2.png b"}, listing(src.Train)); d != "" {
				t.Errorf("%s%s %q (-want +got):\n%s", dir, c.name, c.text, d)
			}
			lines := strings.Join(NewSurvey(src, src.Train, src.Val).Lines(false), "\n")
			if want := "1 " + c.name + " that is not used for lack of a "; !strings.Contains(lines, want) || !strings.Contains(lines, " file_name") {
				t.Errorf("%s%s %q: %s", dir, c.name, c.text, lines)
			}
		}
	}
	_, err := OpenFS(with("metadata.csv", "a,b\n"), "set", DefaultLimits)
	if err == nil || !strings.Contains(err.Error(), "found 1 file: 1 metadata.csv that is not used") {
		t.Errorf("nothing else: error %v", err)
	}
	src, err := OpenFS(with("metadata.csv", "filename,label\n1.png,a\n", "1.png"), "set", DefaultLimits)
	if err != nil || src.Table != "metadata.csv" {
		t.Errorf("beside images without labels: %v", err)
	}
}

// Errors in a metadata file that names images are errors, and name their lines.
func TestDamagedMetadata(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"metadata.csv", "file_name,label\n1.png,a\n2.png\n", "set/metadata.csv: record on line 3: wrong number of fields"},
		{"metadata.csv", "\"label\";\"file_name\"\n\"a\";\"../1.png\"\n", `set/metadata.csv: line 2: "../1.png" is no name`},
		{"metadata.csv", "file_name,split\n1.png,7\n", `set/metadata.csv: line 2: split "7" is none of train, val and test`},
		{"metadata.jsonl", "{\"file_name\": \"1.png\", \"label\": ", "set/metadata.jsonl: line 1: unexpected end"},
		{"metadata.jsonl", "\n{\"label\": \"a\", \"file_name\" : \"1.png\"}\n{\"label\": \"b\"}\n", "set/metadata.jsonl: line 3: no name of a file"},
	} {
		if _, err := OpenFS(with(c.name, c.text, "1.png", "2.png"), "set", DefaultLimits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// A column of splits tells validation images apart, where folders do not.
func TestSplitsOfMetadata(t *testing.T) {
	four := []string{"1.png", "2.png", "3.png", "4.png"}
	for _, c := range []struct {
		name       string
		fsys       fstest.MapFS
		train, val []string
		left       map[string]int
	}{
		{"csv", with("metadata.csv", "file_name,label,split\n1.png,a,train\n2.png,b,Training\n3.png,b,VAL\n4.png,a,test\n", four...),
			[]string{"1.png a", "2.png b"}, []string{"3.png b"}, map[string]int{"image for tests": 1}},
		{"jsonl, without labels", with("metadata.jsonl", "{\"file_name\": \"1.png\", \"split\": \"dev\"}\n{\"file_name\": \"2.png\"}\n", four[:2]...),
			[]string{"2.png"}, []string{"1.png"}, map[string]int{}},
		{"labels of folders", with("metadata.csv", "file_name,split\na/1.png,train\nb/1.png,train\na/2.png,val\n", "a/1.png", "b/1.png", "a/2.png"),
			[]string{"a/1.png a", "b/1.png b"}, []string{"a/2.png a"}, map[string]int{}},
		{"in a folder train alone", with("train/metadata.csv", "file_name,label,split\n1.png,a,train\n2.png,b,train\n3.png,b,val\n", "train/1.png", "train/2.png", "train/3.png"),
			[]string{"train/1.png a", "train/2.png b"}, []string{"train/3.png b"}, map[string]int{}},
		{"folders count more", with("metadata.csv", "file_name,label,split\ntrain/1.png,a,val\nval/2.png,a,train\n", "train/1.png", "val/2.png"),
			[]string{"train/1.png a"}, []string{"val/2.png a"}, map[string]int{}},
		{"one split alone", with("metadata.csv", "file_name,label,split\n1.png,a,validation\n2.png,b,validation\n", four[:2]...),
			[]string{"1.png a", "2.png b"}, nil, map[string]int{}},
		{"a column of another meaning", with("metadata.csv", "file_name,label,set\n1.png,a,val\n2.png,b,summer\n", four[:2]...),
			[]string{"1.png a", "2.png b"}, nil, map[string]int{}},
	} {
		src, err := OpenFS(c.fsys, "set", DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		checkSource(t, c.name, src, c.train, c.val, c.left)
		readAll(t, src)
	}
}

// checkSource compares the images of a source, with their labels, and what was left out.
func checkSource(t *testing.T, name string, src *Source, train, val []string, left map[string]int) {
	t.Helper()
	if d := cmp.Diff(train, listing(src.Train)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
	if d := cmp.Diff(val, listing(src.Val)); d != "" {
		t.Errorf("%s: validation (-want +got):\n%s", name, d)
	}
	if d := cmp.Diff(left, kinds(src.LeftOut)); d != "" {
		t.Errorf("%s: left out (-want +got):\n%s", name, d)
	}
}

func FuzzHub(f *testing.F) {
	f.Add([]byte("{\"file_name\": \"1.png\", \"label\": 3}\n{\"file_name\": \"x/2.png\", \"label\": null}\n"))
	f.Add([]byte(`{"file_name": 1}`))
	f.Add([]byte("{\"file_name\": \"1.png\", \"label\": \"\xe9\", \"split\": \"val\"}\n{\"file_name\": \"x/2.png\", \"label\": 1e3, \"split\": \"train\"}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		src, err := OpenFS(with("metadata.jsonl", string(text), "1.png", "x/2.png"), "set", DefaultLimits)
		if err != nil {
			return
		}
		checkLabels(t, src)
	})
}
