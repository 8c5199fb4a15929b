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
