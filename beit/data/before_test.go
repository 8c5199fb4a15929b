package data

import (
	"archive/tar"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What version 0.1 found is found as it was, in folders and archives.
func TestOpenAsBefore(t *testing.T) {
	files := tree("Train/a/1.png", "Train/a/2.jfif", "Train/b/@eaDir/3.png", "Val/c/4.png", "Train/metadata.png", "none")
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "set.tar")
	content := slices.Concat(
		archiveOf(t, image1("a/1.png"), image1("a/2.jfif"), image1("/abs/3.png"), entry{name: "a/4.png", link: "a/1.png", kind: tar.TypeLink}, entry{name: "c", link: "a", kind: tar.TypeSymlink}, image1("b/5.png")),
		archiveOf(t, image1("d/6.png")))
	if err := os.WriteFile(archive, content, 0o666); err != nil {
		t.Fatal(err)
	}
	parts := t.TempDir()
	if err := os.CopyFS(parts, tree("set/train/1.png", "set/val/2.png", "set/test/3.png")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2][]string{
		dir:     {{"Train/metadata.png Train", "Train/a/1.png Train", "Train/b/@eaDir/3.png Train", "Val/c/4.png Val"}, nil},
		archive: {{"a/1.png a", "b/5.png b"}, nil},
		parts:   {{"set/train/1.png"}, {"set/val/2.png"}},
	} {
		src, err := OpenAsBefore(name, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[0], listing(src.Train)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if d := cmp.Diff(want[1], listing(src.Val)); d != "" {
			t.Errorf("validation (-want +got):\n%s", d)
		}
		readAll(t, src)
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Symbolic links lead to what version 0.1 found through them, and to no more; a link to a folder or archive is opened as that is.
func TestOpenAsBeforeLinks(t *testing.T) {
	dir := t.TempDir()
	set := filepath.Join(dir, "set")
	if err := os.CopyFS(set, tree("a/1.png", "b/2.png", "c.hidden/d/Thumbs.db/3.png")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "set.tar"), archiveOf(t, image1("a/1.png"), image1("/abs/3.png"), image1("b/2.png")), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"set/a/notes": "1.png", "set/a/x.dat": "../b/2.png", "set/a/4.png": "../b/2.png", "set/l": "b", "set/b/gone.png": "none", "set/b/up": "..", "linked": "set", "archive": "set.tar",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	folder := []string{"a/1.png a", "a/4.png a", "b/2.png b", "c.hidden/d/Thumbs.db/3.png c.hidden", "l/2.png l"}
	for name, want := range map[string][]string{"set": folder, "linked": folder, "set.tar": {"a/1.png a", "b/2.png b"}, "archive": {"a/1.png a", "b/2.png b"}} {
		src, err := OpenAsBefore(filepath.Join(dir, name), DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, listing(src.Train)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		readAll(t, src)
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Version 0.1 opened a single folder only where no other name stood beside it, but for those that begin with a dot.
func TestOnlyFolderBefore(t *testing.T) {
	for _, c := range []struct{ beside, want string }{{"desktop.ini", ""}, {"@eaDir/x", ""}, {".DS_Store", "set"}, {"__MACOSX/x", "set"}} {
		o := newOpener(with(c.beside, "x", "set/a/1.png"), "set", DefaultLimits, nil)
		if got, err := o.onlyFolderBefore(); err != nil || got != c.want {
			t.Errorf("beside %s: %q, %v, want %q", c.beside, got, err, c.want)
		}
	}
}
