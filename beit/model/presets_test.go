package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/model"
)

func TestPresetsPassCheck(t *testing.T) {
	for _, m := range model.Methods() {
		for _, name := range m.Presets {
			if err := m.Preset(name).Check(); err != nil {
				t.Errorf("%s %s: %v", m.Name, name, err)
			}
		}
	}
}

// New runs of our own presets show images upright. Published recipes do not, nor do runs from before the key.
func TestPresetsExifTranspose(t *testing.T) {
	for _, m := range model.Methods() {
		for _, name := range m.Presets {
			c, err := config.Configure(m.Spec, name, "", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			own := slices.ContainsFunc([]string{"tiny", "mini", "small"}, func(kind string) bool { return strings.HasPrefix(name, kind) })
			if c.Data.ExifTranspose != own {
				t.Errorf("%s %s: exif_transpose = %v", m.Name, name, c.Data.ExifTranspose)
			}
			for _, key := range []string{"exif_transpose = true\n", "exif_transpose = false\n"} {
				text := strings.Replace(c.TOML(), key, "", 1)
				old, err := config.Read(m.Spec, text, "old run")
				if err != nil || text != c.TOML() && old.Data.ExifTranspose {
					t.Errorf("%s %s: without the key it is read as %v, %v", m.Name, name, old.Data.ExifTranspose, err)
				}
			}
		}
	}
}

// TestPresetsAsTOML writes every preset and reads it back over every other preset of its method: no value may come from elsewhere than the text.
func TestPresetsAsTOML(t *testing.T) {
	for _, m := range model.Methods() {
		for _, name := range m.Presets {
			want := m.Preset(name)
			want.Preset = name
			text := want.TOML()
			for _, other := range m.Presets {
				got, err := config.Read(m.Spec, strings.Replace(text, `preset = "`+name+`"`, `preset = "`+other+`"`, 1), "text")
				if err != nil {
					t.Fatal(err)
				}
				got.Assigned = nil // all keys, for the text has them
				if got.Preset != other {
					t.Fatalf("%s %s: the preset that was read over is %s, want %s", m.Name, name, got.Preset, other)
				}
				got.Preset = name
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s over %s (-want +got):\n%s", m.Name, name, other, diff)
				}
			}
			for _, line := range strings.Split(text, "\n") {
				if key, _, ok := strings.Cut(strings.TrimSpace(line), " ="); ok && strings.ToLower(key) != key {
					t.Errorf("%s %s: key %q has no toml tag", m.Name, name, key)
				}
			}
		}
	}
}
