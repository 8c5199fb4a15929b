package train

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// A run goes on from any folder, to the same bytes, and where it was moved together with the tokenizer that it learns from.
func TestResumeElsewhere(t *testing.T) {
	m, project := pretrain.Method, t.TempDir()
	t.Chdir(project)
	trainIn(t, filepath.Join("runs", "tokenizer"), tokenizer.Method, tiny(t, tokenizer.Method), Env{})
	cfg := tiny(t, m, "pretrain.tokenizer="+filepath.Join("runs", "tokenizer"))
	whole := trained(t, m, cfg, Env{}).Dir
	dir := filepath.Join("runs", "backbone")
	stopIn(t, dir, m, cfg, "train", 7)
	moved := filepath.Join(t.TempDir(), "copied")
	if err := os.CopyFS(filepath.Join(moved, "runs"), os.DirFS("runs")); err != nil {
		t.Fatal(err)
	}

	t.Chdir(t.TempDir())
	dir = filepath.Join(project, dir)
	mustResume(t, dir, Env{})
	sameRuns(t, "from another folder", whole, dir, m)

	if err := os.Rename(filepath.Join(project, "runs"), filepath.Join(project, "away")); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(moved, "runs", "backbone")
	said := &traintest.Reporter{}
	mustResume(t, dir, Env{Reporter: said})
	was, is := filepath.Join(project, "runs", "tokenizer"), filepath.Join(moved, "runs", "tokenizer")
	if want := "pretrain.tokenizer: " + was + " is not there; taken is " + is; !slices.Contains(said.Notices, want) {
		t.Errorf("notices %q, want %q", said.Notices, want)
	}
	for _, b := range []string{dir, filepath.Join(dir, "backbone.safetensors")} {
		o, err := model.Open(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := pretrain.SectionOf(o.Config).Tokenizer; got != is {
			t.Errorf("%s: the tokenizer is %s, want %s", b, got, is)
		}
		o.Close()
	}

	// A file by itself keeps what its run wrote.
	alone := filepath.Join(moved, "backbone.safetensors")
	if err := os.Rename(filepath.Join(dir, "backbone.safetensors"), alone); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(moved, "runs", "tokenizer"), filepath.Join(moved, "tokenizer")); err != nil {
		t.Fatal(err)
	}
	o, err := model.Open(alone)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if got := pretrain.SectionOf(o.Config).Tokenizer; got != is || o.Moved != nil {
		t.Errorf("a file by itself: the tokenizer is %s, want %s; moved %v", got, is, o.Moved)
	}
}
