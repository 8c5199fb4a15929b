package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fill writes a file of a folder of pages.
func fill(name, text string) func(string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
}

func TestWriteFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "new", "pages")
	if err := WriteFolder(dir, "maker", fill("a.html", "1")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFolder(dir, "maker", fill("b.html", "2")); err != nil { // replaces it
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.html")); !os.IsNotExist(err) {
		t.Errorf("a file of the older folder is still there: %v", err)
	}
	failure := errors.New("no more space")
	if err := WriteFolder(dir, "maker", func(string) error { return failure }); !errors.Is(err, failure) || !strings.HasPrefix(err.Error(), dir+": ") {
		t.Errorf("a failure gives %v", err)
	}
	for name, want := range map[string]string{"another maker": "'other' did not make it", "another file": "notes.txt"} {
		maker := "other"
		if name == "another file" {
			maker = "maker"
			if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := WriteFolder(dir, maker, fill("c.html", "3")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "b.html")); err != nil || string(text) != "2" {
		t.Errorf("the folder did not stay as it was: %q, %v", text, err)
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
		t.Errorf("left beside the folder: %v, %v", left, err)
	}
}

// What somebody puts into a folder inside, or while the new one is being written, stays.
func TestWriteFolderKeepsOthersFiles(t *testing.T) {
	for name, when := range map[string]string{"sheets/mine.txt": "before", "mine.txt": "meanwhile", "sheets/new.txt": "meanwhile"} {
		dir := filepath.Join(t.TempDir(), "pages")
		own := func(temp string) error {
			return errors.Join(os.Mkdir(filepath.Join(temp, "sheets"), 0o777), fill("sheets/1.jpg", "1")(temp))
		}
		for range 2 { // the second replaces the first
			if err := WriteFolder(dir, "maker", own); err != nil {
				t.Fatal(err)
			}
		}
		put := fill(name, "years of work")
		if when == "before" {
			if err := put(dir); err != nil {
				t.Fatal(err)
			}
		}
		err := WriteFolder(dir, "maker", func(temp string) error {
			if when == "before" {
				t.Errorf("%s: the work begins", name)
			}
			return errors.Join(own(temp), put(dir))
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s %s: %v", name, when, err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != "years of work" {
			t.Errorf("%s %s: %q, %v", name, when, text, err)
		}
	}
}

// A folder that somebody made for other files, and a file, are not replaced; an empty folder is.
func TestCheckFolder(t *testing.T) {
	dir := t.TempDir()
	if err := CheckFolder(dir, "maker"); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := WriteFolder(dir, "maker", fill("a.html", "1")); err != nil {
		t.Errorf("into an empty folder: %v", err)
	}
	other := t.TempDir()
	if err := fill("thesis.txt", "years")(other); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, filepath.Join(other, "thesis.txt")} {
		if err := CheckFolder(path, "maker"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
