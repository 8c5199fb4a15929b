package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// field is one value of a configuration, under its dotted key.
type field struct {
	key   string
	tag   reflect.StructTag
	value reflect.Value
}

// fields lists the values of c: the common ones, then those of the method's section.
func (c *Config) fields() []field {
	list := fieldsOf("", reflect.ValueOf(c).Elem())
	return append(list, fieldsOf(c.Method+".", reflect.ValueOf(c.Section).Elem())...)
}

// fieldsOf lists the values of a struct and of the structs in it.
func fieldsOf(prefix string, v reflect.Value) (list []field) {
	for i := range v.NumField() {
		t, f := v.Type().Field(i), v.Field(i)
		key := prefix + t.Tag.Get("toml")
		switch {
		case t.Tag.Get("toml") == "-":
		case t.Anonymous:
			list = append(list, fieldsOf(prefix, f)...)
		case f.Kind() == reflect.Struct:
			list = append(list, fieldsOf(key+".", f)...)
		default:
			list = append(list, field{key, t.Tag, f})
		}
	}
	return list
}

// find returns the field with a key.
func (c *Config) find(key string) (field, bool) {
	list := c.fields()
	i := slices.IndexFunc(list, func(f field) bool { return f.key == key })
	if i < 0 {
		return field{}, false
	}
	return list[i], true
}

// Keys lists the keys that c has.
func (c *Config) Keys() []string {
	var keys []string
	for _, f := range c.fields() {
		keys = append(keys, f.key)
	}
	return keys
}

// ChangedKeys lists the keys whose values differ between two configurations of one method, apart from those that a resumed run may have
// otherwise (resume:"free", and resume:"end" of what says where it ends).
func ChangedKeys(a, b *Config) (keys []string) {
	fb := b.fields()
	for i, f := range a.fields() {
		if !f.value.Equal(fb[i].value) && f.tag.Get("resume") == "" {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// Equal says whether two configurations have the same values, whatever notes they carry.
func Equal(a, b *Config) bool {
	if a.Method != b.Method {
		return false
	}
	fb := b.fields()
	for i, f := range a.fields() {
		if !f.value.Equal(fb[i].value) {
			return false
		}
	}
	return true
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	pathsType    = reflect.TypeFor[Paths]()
)

// wants says in words what kind of value a field takes.
func (f field) wants() string {
	switch v := f.value; {
	case v.Type() == durationType:
		return "a duration such as 4m30s"
	case v.Type() == pathsType:
		return "a text, or a list of texts"
	case v.Kind() == reflect.String:
		return "a text"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanInt():
		return "a whole number"
	case v.CanUint():
		return "a whole number that is not negative"
	}
	return "a number"
}

// parse sets the field to what text says.
func (f field) parse(text string) error {
	v := f.value
	var err error
	switch {
	case v.Type() == durationType:
		var d time.Duration
		d, err = time.ParseDuration(text)
		v.SetInt(int64(d))
	case v.Type() == pathsType:
		paths, err := parsePaths(text)
		if err != nil {
			return fmt.Errorf("%q %w", text, err)
		}
		v.SetString(string(paths))
	case v.Kind() == reflect.String:
		if !utf8.ValidString(text) { // TOML has no form for it
			return fmt.Errorf("%q is not a text in UTF-8", text)
		}
		v.SetString(f.canonical(text))
	case v.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
	default:
		var x float64
		x, err = strconv.ParseFloat(text, 64)
		v.SetFloat(x)
	}
	if err != nil {
		return fmt.Errorf("%q is not %s", text, f.wants())
	}
	return nil
}

// canonical is the word that the tag alias has for text; text itself where it has none.
func (f field) canonical(text string) string {
	for _, pair := range strings.Fields(f.tag.Get("alias")) {
		if name, word, _ := strings.Cut(pair, "="); name == text {
			return word
		}
	}
	return text
}

// assign sets the field to a value of TOML.
func (f field) assign(value any) error {
	v := f.value
	switch x := value.(type) {
	case []any:
		if v.Type() == pathsType {
			paths, err := pathsFrom(x)
			if err != nil {
				return fmt.Errorf("%v %w", value, err)
			}
			v.SetString(string(paths))
			return nil
		}
	case string:
		if v.Kind() == reflect.String || v.Type() == durationType {
			return f.parse(x)
		}
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(x)
			return nil
		}
	case int64:
		switch {
		case v.Type() == durationType:
		case v.CanInt() && !v.OverflowInt(x):
			v.SetInt(x)
			return nil
		case v.CanUint() && x >= 0:
			v.SetUint(uint64(x))
			return nil
		case v.CanFloat():
			v.SetFloat(float64(x))
			return nil
		}
	case float64:
		if v.CanFloat() {
			v.SetFloat(x)
			return nil
		}
	}
	return fmt.Errorf("%v is not %s", value, f.wants())
}
