package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// touch makes a file, and the folders that it lies in.
func touch(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is there becomes absolute, what is not stays, and so does what is no path. Nothing is looked for without a run folder.
func TestLocateMakesAbsolute(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	touch(t, here, "images.tar")
	touch(t, here, "shapes:5")
	touch(t, here, "sub", "nowhere")
	for path, want := range map[string]string{
		"images.tar": filepath.Join(here, "images.tar"), "./sub/../images.tar": filepath.Join(here, "images.tar"), "": "",
		"nowhere": "nowhere", "shapes:5": "shapes:5", "procedural:7": "procedural:7", "dino-vitb16": "dino-vitb16",
	} {
		c := toyPreset()
		c.Data.Path, c.InitFrom = PathsOf("other", path), path
		if path == "" {
			c.Data.Path = ""
		}
		moved := c.Locate("")
		if c.InitFrom != want || path != "" && c.Data.Path != PathsOf("other", want) || moved != nil {
			t.Errorf("%q becomes %q and %q, want %q; moved %v", path, c.InitFrom, c.Data.Path.List(), want, moved)
		}
	}
}

// A run that was moved finds what was moved with it, by as many last parts of the path as there are.
func TestLocateFromTheRun(t *testing.T) {
	t.Chdir(t.TempDir())
	project := t.TempDir()
	touch(t, project, "runs", "a", "tokenizer", "config.toml")
	touch(t, project, "runs", "b", "tokenizer", "config.toml")
	touch(t, project, "images", "1.png")
	dir := filepath.Dir(touch(t, project, "runs", "b", "backbone", "config.toml"))
	for path, want := range map[string]string{
		"/gone/project/runs/a/tokenizer": "runs/a/tokenizer",
		"/gone/elsewhere/tokenizer":      "runs/b/tokenizer", // beside the run
		"runs/a/tokenizer":               "runs/a/tokenizer", // relative to the project
		"../tokenizer":                   "runs/b/tokenizer",
		"/gone/images":                   "images",
		"/gone/photos":                   "",
		"shapes:5":                       "",
	} {
		c := toyPreset()
		c.InitFrom = path
		moved := c.Locate(dir)
		var wantMoved []Moved
		if want == "" {
			want = path
		} else {
			want = filepath.Join(project, filepath.FromSlash(want))
			wantMoved = []Moved{{"init_from", path, want}}
		}
		if c.InitFrom != want {
			t.Errorf("%s: found at %q, want %q", path, c.InitFrom, want)
		}
		if d := cmp.Diff(wantMoved, moved); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

// As it stands a path goes before what lies by the run.
func TestLocateAsItStands(t *testing.T) {
	here, project := t.TempDir(), t.TempDir()
	t.Chdir(here)
	touch(t, here, "images", "1.png")
	dir := filepath.Dir(touch(t, project, "run", "config.toml"))
	touch(t, project, "images", "1.png")
	c := toyPreset()
	c.Data.Path = "images"
	if moved := c.Locate(dir); c.Data.Path != Paths(filepath.Join(here, "images")) || moved != nil {
		t.Errorf("images are at %s, moved %v", c.Data.Path, moved)
	}
}
