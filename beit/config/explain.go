package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Explained is what there is to say about one key.
type Explained struct {
	Key   string `json:"key"`
	Value string `json:"value"` // in the configuration that was asked
	Wants string `json:"wants"` // kind of value and limits
	Help  string `json:"help"`
	Free  bool   `json:"free"` // a resumed run may have another value
}

// Explain says what every key of c means, in the order of its TOML form.
func (c *Config) Explain() (list []Explained) {
	for _, f := range c.fields() {
		e := Explained{Key: f.key, Value: fmt.Sprint(f.value.Interface()), Wants: f.wants(), Help: f.tag.Get("help"), Free: f.tag.Get("resume") == "free"}
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
