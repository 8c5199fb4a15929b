package model_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
)

// Every file is found by each of its names, and no two have one name.
func TestPublishedFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range model.PublishedFiles() {
		if !strings.HasPrefix(p.URL, "https://") || p.About == "" || filepath.Base(p.Name) != p.Name || !weights.Known(p.Kind) && p.Kind != weights.Segmenter && p.Kind != mae.Kind {
			t.Errorf("%+v", p)
		}
		for _, name := range []string{p.Short, p.Name, strings.TrimSuffix(p.Name, filepath.Ext(p.Name))} {
			if seen[strings.ToLower(name)] {
				t.Errorf("two files are called %s", name)
			}
			seen[strings.ToLower(name)] = true
			for _, written := range []string{name, strings.ToUpper(name)} {
				if found, err := model.FindPublished(written); err != nil || found != p {
					t.Errorf("%s: %+v, %v", written, found, err)
				}
			}
		}
	}
	if found, err := model.FindPublished("VQKD-base-clip"); err != nil || found.Short != "vqkd-clip" {
		t.Errorf("vqkd-base-clip is %q, error %v", found.Short, err)
	}
	if found, err := model.FindPublished("mae_finetuned_vit_huge.pth"); err != nil || found.Short != "mae-huge-ft1k" || found.URL != "https://dl.fbaipublicfiles.com/mae/finetune/mae_finetuned_vit_huge.pth" {
		t.Errorf("mae_finetuned_vit_huge.pth is %+v, error %v", found, err)
	}
	for name, want := range map[string]string{
		"beitv2_base": "there are beitv2_base_patch16_224_pt1k, ", "dino-vitb61": `did you mean "dino-vitb16"`, "vit-b_16": `did you mean "ViT-B-16"`,
	} {
		if _, err := model.FindPublished(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %s", name, err, want)
		}
	}
}

// A file or folder goes before a published name, a published file is taken from the cache, and what is nothing is told in a line.
func TestFind(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(model.CacheEnv, cache)
	t.Chdir(t.TempDir())
	var asked []string
	get := func(p model.Published, path string) error {
		asked = append(asked, p.Short+" "+path)
		return nil
	}
	there := filepath.Join(cache, "dino_vitbase16_pretrain.pth")
	if path, err := model.Find("DINO-ViTb16", get); err != nil || path != there || strings.Join(asked, ",") != "dino-vitb16 "+there {
		t.Errorf("%s, %v, asked for %v", path, err, asked)
	}
	if _, err := model.Open("dino-vitb16"); err == nil || !strings.Contains(err.Error(), "'beit pull dino-vitb16'") {
		t.Errorf("without a way to fetch: %v", err)
	}
	put(t, there, "x")
	asked = nil
	if path, err := model.Find("dino-vitb16", get); err != nil || path != there || asked != nil {
		t.Errorf("in the cache: %s, %v, asked for %v", path, err, asked)
	}
	put(t, "dino-vitb16", "x")
	if path, err := model.Find("dino-vitb16", nil); err != nil || path != "dino-vitb16" {
		t.Errorf("a file of that name: %s, %v", path, err)
	}
	for name, want := range map[string]string{
		"dino-vitb61":      `no such model file or run folder: file does not exist; of the published files, did you mean "dino-vitb16"?`,
		"runs/dino-vitb16": "runs/dino-vitb16: no such model file or run folder: file does not exist",
	} {
		if _, err := model.Open(name, model.Fetching(get)); err == nil || !strings.HasSuffix(err.Error(), want) || asked != nil {
			t.Errorf("%s: error %v, want %s; asked for %v", name, err, want, asked)
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
