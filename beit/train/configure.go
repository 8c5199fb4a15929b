package train

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/gobeit/gobeit/beit"
)

// Values that keys of a configuration may have.
const (
	augmentCrop    = "crop"
	augmentPad     = "pad-crop"
	augmentNone    = "none"
	augmentMulti   = "multi-crop"
	targetCodes    = "codes"
	targetFeatures = "features"
)

// Configure makes a configuration: the preset, then in stage finetune the shape of the model at init_from and pictures shown as suits their size, then
// what the TOML file says, then assignments "key=value" with dotted keys. preset may be empty: the file's, or "small32"; file may be empty.
// Unknown keys are errors that name the nearest one there is.
func Configure(stage Stage, presetName, file string, set []string) (Config, error) {
	var text []byte
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return Config{}, fmt.Errorf("config: %w", err)
		}
		var head struct{ Preset string }
		if _, err := toml.Decode(string(text), &head); err == nil {
			presetName = cmp.Or(presetName, head.Preset)
		}
	}
	c, err := preset(stage, cmp.Or(presetName, "small32"))
	if err != nil {
		return Config{}, err
	}
	if stage == Finetune {
		asked := c.clone()
		if err := asked.override(text, file, set); err != nil {
			return Config{}, err
		}
		if err := c.adopt(asked.InitFrom, text); err != nil {
			return Config{}, fmt.Errorf("init_from: %w", err)
		}
		if err := c.presentAsked(text, file, set); err != nil {
			return Config{}, err
		}
	}
	if err := c.override(text, file, set); err != nil {
		return Config{}, err
	}
	if presetName != "" {
		c.Preset = presetName
	}
	c.derive()
	return c, c.Check()
}

// presentAsked shows pictures as suits the size that TOML and assignments ask for. What they say of showing them comes later and counts more.
func (c *Config) presentAsked(text []byte, file string, set []string) error {
	asked := c.clone()
	if err := asked.override(text, file, set); err != nil {
		return err
	}
	c.Finetune.Model.ImageSize = asked.Finetune.Model.ImageSize
	c.present()
	return nil
}

// override reads TOML over c, then carries out assignments.
func (c *Config) override(text []byte, file string, set []string) error {
	if err := c.merge(text, file); err != nil {
		return err
	}
	for _, s := range set {
		if err := c.Set(s); err != nil {
			return err
		}
	}
	return nil
}

// parseConfig reads the whole configuration of a run. Errors call it source.
func parseConfig(text []byte, source string) (Config, error) {
	var head struct {
		Stage  Stage
		Preset string
	}
	if _, err := toml.Decode(string(text), &head); err != nil {
		return Config{}, fmt.Errorf("%s: %w", source, err)
	}
	c, err := preset(head.Stage, head.Preset)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", source, err)
	}
	if err := c.merge(text, source); err != nil {
		return Config{}, err
	}
	if err := c.Check(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", source, err)
	}
	return c, nil
}

// merge reads TOML over c. Errors call it source.
func (c *Config) merge(text []byte, source string) error {
	stage := c.Stage
	md, err := toml.Decode(string(text), c)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	if c.Stage != stage {
		return fmt.Errorf("%s: stage = %q: this run is of stage %q", source, c.Stage, stage)
	}
	valid := Keys(stage)
	for _, key := range md.Keys() {
		name := key.String()
		isTable := slices.ContainsFunc(valid, func(v string) bool { return strings.HasPrefix(v, name+".") })
		if !isTable && !slices.Contains(valid, name) {
			return fmt.Errorf("%s: %w", source, unknownKey(name, stage))
		}
	}
	return nil
}

func unknownKey(key string, stage Stage) error {
	return fmt.Errorf("unknown key %s in stage %s; did you mean %s?", key, stage, beit.Nearest(key, Keys(stage)))
}

// Set carries out one assignment "key=value". It does not check the result: see Check.
func (c *Config) Set(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok {
		return fmt.Errorf("%q: an assignment has the form key=value", assignment)
	}
	for _, f := range c.fields() {
		if f.key != key {
			continue
		}
		if key == "stage" || key == "preset" {
			return fmt.Errorf("%s: cannot be assigned", assignment)
		}
		if err := f.parse(value); err != nil {
			return fmt.Errorf("%s: %w", assignment, err)
		}
		return nil
	}
	return unknownKey(key, c.Stage)
}

// field is one value of a configuration, under its dotted key.
type field struct {
	key   string
	value reflect.Value
}

// fields lists the values of c, tables of other stages left out.
func (c *Config) fields() []field {
	var list []field
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			name, f := v.Type().Field(i), v.Field(i)
			if f.Kind() == reflect.Pointer {
				if f.IsNil() {
					continue
				}
				f = f.Elem()
			}
			key := prefix + name.Tag.Get("toml")
			switch {
			case name.Anonymous:
				walk(prefix, f)
			case f.Kind() == reflect.Struct:
				walk(key+".", f)
			default:
				list = append(list, field{key, f})
			}
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return list
}

// Keys lists the keys that a stage's configuration has.
func Keys(stage Stage) []string {
	c := Config{Tokenizer: &TokenizerConfig{}}
	switch stage {
	case Pretrain:
		c = Config{Pretrain: &PretrainConfig{}}
	case Teacher:
		c = Config{Teacher: &TeacherConfig{}}
	case Finetune:
		c = Config{Finetune: &FinetuneConfig{}}
	}
	var keys []string
	for _, f := range c.fields() {
		keys = append(keys, f.key)
	}
	return keys
}

// parse sets the field to what text says.
func (f field) parse(text string) error {
	v := f.value
	wrong := func(want string, err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("%q is not %s", text, want)
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		v.SetInt(int64(d))
		return wrong("a duration such as 4m30s", err)
	case v.Kind() == reflect.String:
		v.SetString(text)
		return nil
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return wrong("true or false", err)
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
		return wrong("a whole number", err)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, 64)
		v.SetUint(n)
		return wrong("a whole number that is not negative", err)
	default:
		x, err := strconv.ParseFloat(text, 64)
		v.SetFloat(x)
		return wrong("a number", err)
	}
}

// changedKeys lists the keys whose values differ between two configurations of one stage.
func changedKeys(a, b Config) []string {
	var keys []string
	fb := b.fields()
	for i, f := range a.fields() {
		if !f.value.Equal(fb[i].value) {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// clone copies c with the tables it points to.
func (c Config) clone() Config {
	if c.Tokenizer != nil {
		t := *c.Tokenizer
		c.Tokenizer = &t
	}
	if c.Pretrain != nil {
		p := *c.Pretrain
		c.Pretrain = &p
	}
	if c.Teacher != nil {
		t := *c.Teacher
		c.Teacher = &t
	}
	if c.Finetune != nil {
		f := *c.Finetune
		c.Finetune = &f
	}
	return c
}

// TOML is the configuration as text that Configure reads back.
func (c Config) TOML() string {
	var buf bytes.Buffer
	e := toml.NewEncoder(&buf)
	e.Indent = ""
	if err := e.Encode(c); err != nil {
		panic(fmt.Sprintf("train: Config: %v", err)) // every field has a TOML form
	}
	return buf.String()
}

// imageSize is the side of the pictures that the stage's model takes.
func (c Config) imageSize() int {
	switch c.Stage {
	case Tokenizer:
		return c.Tokenizer.Model.Encoder.ImageSize
	case Teacher:
		return c.Teacher.Model.ViT.ImageSize
	case Finetune:
		return c.Finetune.Model.ImageSize
	}
	return c.Pretrain.Model.ViT.ImageSize
}

// derive fills in what other keys determine: the decoder's grid and the mask's.
func (c *Config) derive() {
	if c.Tokenizer != nil {
		m := &c.Tokenizer.Model
		if m.Encoder.PatchSize > 0 {
			m.Decoder.ImageSize, m.Decoder.PatchSize, m.Decoder.Channels = m.Encoder.Grid(), 1, m.CodeDim
		}
	}
	if c.Pretrain != nil && c.Pretrain.Model.ViT.PatchSize > 0 {
		grid := c.Pretrain.Model.ViT.Grid()
		c.Pretrain.Mask.Rows, c.Pretrain.Mask.Cols = grid, grid
	}
}
