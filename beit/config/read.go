package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// Spec is what this package must know of a method.
type Spec struct {
	Name    string
	Presets []string                  // names, sorted
	Preset  func(name string) *Config // of one of Presets
	Paper   string                    // the preset with the values of the method's paper; "": there is none
}

// NewSpec describes a method by its presets.
func NewSpec(name string, presets map[string]func() *Config) Spec {
	return Spec{Name: name, Presets: slices.Sorted(maps.Keys(presets)), Preset: func(preset string) *Config {
		c := presets[preset]()
		c.Preset = preset
		return c
	}}
}

// InPaper says which preset has the values of the method's paper.
func (s Spec) InPaper(preset string) Spec {
	s.Paper = preset
	return s
}

// DefaultPreset is the preset of those who name none.
const DefaultPreset = "small32"

// preset returns the configuration that a preset's name stands for.
func (s Spec) preset(name string) (*Config, error) {
	if !slices.Contains(s.Presets, name) {
		return nil, fmt.Errorf("%s preset %q does not exist; %s", s.Name, name, Hint(name, s.Presets, "%q", "there are "+strings.Join(s.Presets, ", ")))
	}
	return s.Preset(name), nil
}

// Layers are what stands over a preset: the text of a TOML file, then assignments "key=value".
type Layers struct {
	text []byte
	file string // where text comes from
	set  []string
}

// Over returns a copy of base with the layers over it, unchecked.
func (l Layers) Over(base *Config) (*Config, error) {
	c := base.Clone()
	if err := c.merge(l.text, l.file); err != nil {
		return nil, err
	}
	for _, s := range l.set {
		if err := c.Set(s); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// InFile says whether the file has a key.
func (l Layers) InFile(key string) bool {
	values, err := flatten(l.text)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(values, func(v keyed) bool { return CurrentKey(v.key) == key })
}

// Configure makes a configuration. It begins with the preset, and with what adapt makes of that. The TOML file comes over it, then assignments
// "key=value" with dotted keys. preset may be empty: the file's, or DefaultPreset. file may be empty, and adapt nil. An unknown key is an error
// that names the nearest one there is.
func Configure(s Spec, preset, file string, set []string, adapt func(base *Config, over Layers) error) (*Config, error) {
	over := Layers{file: file, set: set}
	if file != "" {
		var err error
		if over.text, err = regular.ReadFile(file); err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
		var head struct{ Preset string }
		if _, err := toml.Decode(string(over.text), &head); err == nil {
			preset = cmp.Or(preset, head.Preset)
		}
	}
	c, err := s.preset(cmp.Or(preset, DefaultPreset))
	if err != nil {
		return nil, err
	}
	if adapt != nil {
		if err := adapt(c, over); err != nil {
			return nil, err
		}
	}
	if c, err = over.Over(c); err != nil {
		return nil, err
	}
	if preset != "" {
		c.Preset = preset
	}
	c.Derive()
	return c, c.Check()
}

// MethodOf returns the name of the method that a configuration's text is of, by its present name.
func MethodOf(text string) (string, error) {
	var head struct{ Method, Stage string }
	if _, err := toml.Decode(text, &head); err != nil {
		return "", err
	}
	return CurrentMethod(cmp.Or(head.Method, head.Stage)), nil
}

// Read reads the whole configuration of a run. Errors call it source.
func Read(s Spec, text, source string) (*Config, error) {
	var head struct{ Preset string }
	if _, err := toml.Decode(text, &head); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	c, err := s.preset(head.Preset)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if err := c.older(); err != nil {
		return nil, err
	}
	if err := c.merge([]byte(text), source); err != nil {
		return nil, err
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return c, nil
}

// older gives keys with the tag absent the value that a run had before there was such a key.
func (c *Config) older() error {
	for _, f := range c.fields() {
		if value, ok := f.tag.Lookup("absent"); ok {
			if err := f.parse(value); err != nil {
				return fmt.Errorf("config: tag of %s: %w", f.key, err)
			}
		}
	}
	return nil
}

// Derive fills in the keys that others determine.
func (c *Config) Derive() {
	if d, ok := c.Section.(Deriver); ok {
		d.Derive()
	}
}

// keyed is a value of TOML under its dotted key. A table without values has the value nil.
type keyed struct {
	key   string
	value any
}

// flatten lists the values in TOML, sorted by their keys.
func flatten(text []byte) (list []keyed, err error) {
	var root map[string]any
	if _, err := toml.Decode(string(text), &root); err != nil {
		return nil, err
	}
	var walk func(prefix string, table map[string]any)
	walk = func(prefix string, table map[string]any) {
		if len(table) == 0 && prefix != "" {
			list = append(list, keyed{strings.TrimSuffix(prefix, "."), nil})
		}
		for key, v := range table {
			if sub, ok := v.(map[string]any); ok {
				walk(prefix+key+".", sub)
			} else {
				list = append(list, keyed{prefix + key, v})
			}
		}
	}
	walk("", root)
	sort.Slice(list, func(i, j int) bool { return list[i].key < list[j].key })
	return list, nil
}

// merge reads TOML over c. Errors call it source.
func (c *Config) merge(text []byte, source string) error {
	values, err := flatten(text)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	if err := c.checkMethod(values, source); err != nil {
		return err
	}
	given := map[string]string{} // under which name
	for _, v := range values {
		if v.value == nil && c.hasTable(CurrentKey(v.key)) {
			continue
		}
		f, err := c.lookup(v.key)
		if err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		if other := given[f.key]; other != "" {
			return fmt.Errorf("%s: %s and %s are one key: leave one of them out", source, other, v.key)
		}
		given[f.key] = v.key
		if v.value == nil {
			return fmt.Errorf("%s: %s is a value, not a table", source, v.key)
		}
		if f.key == "method" {
			continue
		}
		if err := c.assign(f, v.value); err != nil {
			return fmt.Errorf("%s: %s = %v: %w", source, v.key, v.value, err)
		}
	}
	return nil
}

// checkMethod refuses the configuration of another method, whose keys would only be called unknown.
func (c *Config) checkMethod(values []keyed, source string) error {
	for _, v := range values {
		if name, ok := v.value.(string); CurrentKey(v.key) == "method" && (!ok || CurrentMethod(name) != c.Method) {
			return fmt.Errorf("%s: %s = %q: is a configuration of another method than %q", source, v.key, v.value, c.Method)
		}
	}
	return nil
}

// hasTable says whether keys of c lie in a table.
func (c *Config) hasTable(name string) bool {
	return slices.ContainsFunc(c.Keys(), func(key string) bool { return strings.HasPrefix(key, name+".") })
}

// lookup finds the field of a key that gets a value, and takes note of it. The key may be an old one: then a note says so.
func (c *Config) lookup(key string) (field, error) {
	now := CurrentKey(key)
	f, ok := c.find(now)
	if !ok {
		hint := fmt.Sprintf("'beit config %s --keys' lists them", c.Method)
		if near := NearestKey(key, c.Keys()); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return field{}, fmt.Errorf("unknown key %s of method %s; %s", key, c.Method, hint)
	}
	if now != key {
		note := fmt.Sprintf("%s is called %s now", key, now)
		if !slices.Contains(c.Notes, note) {
			c.Notes = append(c.Notes, note)
		}
	}
	if !c.assigned(now) {
		c.Assigned = append(c.Assigned, now)
	}
	return f, nil
}

// assigned says whether a file or an assignment gave a key a value.
func (c *Config) assigned(key string) bool { return slices.Contains(c.Assigned, key) }

// Set carries out one assignment "key=value". It does not check the result: see Check.
func (c *Config) Set(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok || key == "" {
		return fmt.Errorf("%q: an assignment has the form key=value", assignment)
	}
	f, err := c.lookup(key)
	if err != nil {
		return err
	}
	if f.key == "method" || f.key == "preset" {
		return fmt.Errorf("%s: cannot be assigned", assignment)
	}
	if err := c.parse(f, value); err != nil {
		return fmt.Errorf("%s: %w", assignment, err)
	}
	return nil
}
