package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// MarshalNetwork returns the values of a struct that has tags as a section has, as one flat JSON object with dotted keys. v points to the
// struct.
func MarshalNetwork(v any) (json.RawMessage, error) {
	flat := map[string]any{}
	for _, f := range fieldsOf("", reflect.ValueOf(v).Elem()) {
		flat[f.key] = f.value.Interface()
	}
	return json.Marshal(flat)
}

// UnmarshalNetwork sets a struct to what MarshalNetwork wrote of one. Values that text lacks stay as they are, unknown keys are errors.
func UnmarshalNetwork(text json.RawMessage, v any) error {
	var flat map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&flat); err != nil {
		return err
	}
	fields := map[string]field{}
	for _, f := range fieldsOf("", reflect.ValueOf(v).Elem()) {
		fields[f.key] = f
	}
	for key, value := range flat {
		f, ok := fields[key]
		if !ok {
			return fmt.Errorf("unknown key %s", key)
		}
		if n, isNumber := value.(json.Number); isNumber && f.value.Kind() != reflect.String && f.value.Kind() != reflect.Bool {
			if err := f.parse(n.String()); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			continue
		}
		if err := f.assign(value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}
