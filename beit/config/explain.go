package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Explained is what there is to say about one key.
type Explained struct {
	Key   string `json:"key"`
	Value string `json:"value"` // in the configuration that was asked
	Wants string `json:"wants"` // kind of value and limits
	Help  string `json:"help"`
	Free  bool   `json:"free"` // a resumed run may have another value

	Default string `json:"default"`         // that of DefaultPreset
	Paper   string `json:"paper,omitempty"` // that of the paper, if it has one
}

// Explain says what every key of c means, in the order of its TOML form, and what it is in the default preset and in the paper's. Keys have no value in
// the paper if they say where things are or how a run is carried out: those with resume:"free" or paper:"-".
func (s Spec) Explain(c *Config) []Explained {
	list := c.Explain()
	var defaults, paper []field
	if slices.Contains(s.Presets, DefaultPreset) {
		defaults = s.Preset(DefaultPreset).fields()
	}
	if s.Paper != "" {
		paper = s.Preset(s.Paper).fields()
	}
	for i := range list {
		if defaults != nil {
			list[i].Default = defaults[i].text()
		}
		if paper != nil && !list[i].Free && paper[i].tag.Get("paper") != "-" {
			list[i].Paper = paper[i].text()
		}
	}
	return list
}

// Explain says what every key of c means, in the order of its TOML form.
func (c *Config) Explain() (list []Explained) {
	for _, f := range c.fields() {
		e := Explained{Key: f.key, Value: f.text(), Wants: f.wants(), Help: f.tag.Get("help"), Free: f.tag.Get("resume") == "free"}
		if names := f.tag.Get("oneof"); names != "" {
			e.Wants = strings.Join(strings.Fields(names), ", ")
		}
		if text := f.tag.Get("range"); text != "" && f.value.Type() != durationType {
			e.Wants += ", " + parseRange(text).words("at least %g")
		}
		list = append(list, e)
	}
	return list
}

// text is the value of a field.
func (f field) text() string { return fmt.Sprint(f.value.Interface()) }

// Values lists the values that a key of c can have, where those are a few words.
func Values(c *Config, key string) []string {
	f, ok := c.find(key)
	switch {
	case !ok:
		return nil
	case f.value.Kind() == reflect.Bool:
		return []string{"false", "true"}
	}
	return strings.Fields(f.tag.Get("oneof"))
}
