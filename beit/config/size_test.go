package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
)

// writeText writes a file of TOML and returns its path; empty for no text.
func writeText(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	path := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// An image's size is a number, or height and width in one of several forms; the last one that is given counts.
func TestImageSizes(t *testing.T) {
	const key = "finetune.model.image_size"
	for name, c := range map[string]struct {
		file string
		set  []string
		want [2]int // image_size, image_width
	}{
		"number":             {"", []string{key + "=48"}, [2]int{48, 0}},
		"text":               {"", []string{key + "=24x48"}, [2]int{24, 48}},
		"equal sides":        {"", []string{key + "=48x48"}, [2]int{48, 0}},
		"a square after all": {"", []string{key + "=24x48", key + "=40"}, [2]int{40, 0}},
		"file, number":       {"[finetune.model]\nimage_size = 48\n", nil, [2]int{48, 0}},
		"file, text":         {"[finetune.model]\nimage_size = \"24x48\"\n", nil, [2]int{24, 48}},
		"file, list":         {"[finetune.model]\nimage_size = [24, 48]\n", nil, [2]int{24, 48}},
		"file, both keys":    {"[finetune.model]\nimage_width = 48\nimage_size = 24\n", nil, [2]int{24, 48}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Configure(finetune.Method.Spec, "small32", writeText(t, c.file), c.set, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := finetune.SectionOf(cfg).Model
			if got := [2]int{m.ImageSize, m.ImageWidth}; got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			again, err := config.Read(finetune.Method.Spec, cfg.TOML(), "text")
			if err != nil || !config.Equal(cfg, again) {
				t.Errorf("read again: %v", err)
			}
		})
	}
	for _, bad := range []string{"24x", "x24", "24x48x3", "a", "24x0", "24x-4", "24x47"} {
		if _, err := config.Configure(finetune.Method.Spec, "small32", "", []string{key + "=" + bad}, nil); err == nil || !strings.Contains(err.Error(), "image_") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
	for _, bad := range []string{"[24]", "[24, 48, 3]", "[24, \"x\"]", "true"} {
		file := writeText(t, "[finetune.model]\nimage_size = "+bad+"\n")
		if _, err := config.Configure(finetune.Method.Spec, "small32", file, nil, nil); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}
