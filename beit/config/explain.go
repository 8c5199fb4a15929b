package config

import (
	"fmt"
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
