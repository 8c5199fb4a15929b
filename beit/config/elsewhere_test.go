package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/model"
)

// What others call a setting has the form that is looked up, and means a key that there is; some methods lack it.
func TestElsewhere(t *testing.T) {
	var keys []string
	for _, m := range model.Methods() {
		keys = append(keys, m.Preset(m.Presets[0]).Keys()...)
	}
	for theirs, ours := range config.ElsewhereNames() {
		if theirs != strings.ToLower(theirs) || strings.ContainsAny(theirs, "-.") {
			t.Errorf("%s is never looked up", theirs)
		}
		if slices.ContainsFunc(keys, func(key string) bool { return strings.HasSuffix(key, "."+theirs) }) {
			t.Errorf("%s is a key of ours", theirs)
		}
		if key := config.KnownKey(theirs, keys); !strings.HasSuffix("."+key, "."+ours) {
			t.Errorf("%s is taken for %q, want a key that ends in %s", theirs, key, ours)
		}
	}
}
