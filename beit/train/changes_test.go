package train

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// writeImages writes grey images of some side and a list of them with labels. It returns the list's path.
func writeImages(t *testing.T, dir string, side int, labels ...string) string {
	t.Helper()
	text := "file,label\n"
	for i, label := range labels {
		name := fmt.Sprintf("%02d.png", i)
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, name), time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
		text += name + "," + label + "\n"
	}
	list := filepath.Join(dir, "list.csv")
	if err := os.WriteFile(list, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return list
}

// Labels and images that changed since a run began are told, once, and nothing is said where nothing changed.
func TestResumeTellsChangedImages(t *testing.T) {
	labels := strings.Fields("a a a a b b b b")
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string // in the warning; empty: there is none
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"labels", func(t *testing.T, dir string) { writeImages(t, dir, 20, strings.Fields("a a a b a b b b")...) }, "labels of images"},
		{"content", func(t *testing.T, dir string) { writeImages(t, dir, 200, labels...) }, "sizes differ"},
		{"content of the same size", func(t *testing.T, dir string) {
			if err := os.Chtimes(filepath.Join(dir, "03.png"), time.Unix(2e9, 0), time.Unix(2e9, 0)); err != nil {
				t.Fatal(err)
			}
		}, "written anew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			images := t.TempDir()
			list := writeImages(t, images, 20, labels...)
			dir := trained(t, tokenizer.Method, tiny(t, tokenizer.Method, "data.path="+list, "train.epochs=1"), Env{}).Dir
			c.change(t, images)
			heard := &traintest.Reporter{}
			mustResume(t, dir, Env{Reporter: heard})
			switch {
			case c.want == "" && len(heard.Warnings) > 0:
				t.Errorf("warnings %q", heard.Warnings)
			case c.want != "" && (len(heard.Warnings) != 1 || !strings.Contains(heard.Warnings[0], c.want)):
				t.Errorf("warnings %q, want one with %q", heard.Warnings, c.want)
			}
		})
	}
}

// A run goes on with the images that the version which began it found, and says so; other images are refused.
func TestResumeWithImagesOfOlderVersion(t *testing.T) {
	images := t.TempDir()
	writeImages(t, images, 20, strings.Fields("a a a a b b b b")...)
	dir := trained(t, tokenizer.Method, tiny(t, tokenizer.Method, "data.path="+images, "train.epochs=1"), Env{}).Dir
	content, err := os.ReadFile(filepath.Join(images, "00.png"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(images, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("08.jfif") // which it did not find
	heard := &traintest.Reporter{}
	mustResume(t, dir, Env{Reporter: heard})
	if len(heard.Warnings) != 1 || !strings.Contains(heard.Warnings[0], "goes on with the 8 training images of then, a new run has 9") {
		t.Errorf("warnings %q", heard.Warnings)
	}
	write("09.png")
	if _, err := resumed(dir, Env{}); err == nil || !strings.Contains(err.Error(), "was begun with 8 training images") {
		t.Errorf("one more image: error %v", err)
	}
}
