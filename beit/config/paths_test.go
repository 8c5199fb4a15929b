package config

import (
	"slices"
	"strings"
	"testing"
)

// Paths come through assignments and TOML as they were; one path has the form that it always had.
func TestPaths(t *testing.T) {
	spec := toySpec
	for _, list := range [][]string{nil, {"images.tar"}, {`odd "name"\x`}, {"[one]"}, {"a", "b c", `d"e`}} {
		c, err := Configure(spec, "", "", []string{"data.path=" + PathsOf(list...).Assignment()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := c.TOML()
		again, err := Read(spec, text, "config.toml")
		if err != nil {
			t.Fatalf("%q: %v", list, err)
		}
		if got := again.Data.Path.List(); !slices.Equal(got, list) || !Equal(c, again) {
			t.Errorf("%q comes back as %q", list, got)
		}
		if len(list) == 1 && list[0] == "images.tar" && !strings.Contains(text, "path = \"images.tar\"\n") || len(list) == 3 && !strings.Contains(text, `path = ["a", "b c", "d\"e"]`) {
			t.Errorf("%q has the form\n%s", list, text)
		}
	}
	c := spec.Preset(spec.Presets[0])
	for _, wrong := range []string{`["a", ""]`, "\xff", "a\x00b"} {
		if err := c.Set("data.path=" + wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
	if _, err := Read(spec, "preset = \"small32\"\n[data]\npath = [1, 2]\n", "config.toml"); err == nil || !strings.Contains(err.Error(), "data.path") {
		t.Errorf("a list of numbers: error %v", err)
	}
	if got := PathsOf("a", "b").String(); got != "a, b" {
		t.Errorf("in one line: %q", got)
	}
}
