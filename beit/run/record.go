package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kinds of records.
const (
	KindStep  = "step"  // means since the record before
	KindEpoch = "epoch" // means over the steps of an epoch
	KindVal   = "val"   // on the validation images
)

// MachineFields are the values of a record that tell what the machine did, not what came of it.
var MachineFields = []string{"img_per_s", "data_time", "sum_time", "memory_mb", "flops"}

// Record is one line of metrics.jsonl.
type Record struct {
	Kind   string
	Epoch  int // from 1
	Step   int // steps done
	Time   time.Time
	Values map[string]float64
}

// Keys of a record's object that are not values.
const (
	keyKind  = "kind"
	keyEpoch = "epoch"
	keyStep  = "step"
	keyTime  = "time"
)

// timeFormat is RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// notFinite are the strings in place of the numbers that JSON cannot write.
var notFinite = map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}

// MarshalJSON writes one flat object with sorted keys: {"epoch":1,"kind":"step","loss":0.91,"step":50,"time":"2026-11-29T12:00:00.000Z"}.
// NaN and the infinities become the strings "NaN", "Infinity" and "-Infinity". The time is in UTC. A zero time is left out.
func (r Record) MarshalJSON() ([]byte, error) {
	flat := map[string]any{keyKind: r.Kind, keyEpoch: r.Epoch, keyStep: r.Step}
	for key, v := range r.Values {
		if _, taken := flat[key]; taken || key == keyTime || key == keyCRC || !utf8.ValidString(key) {
			return nil, fmt.Errorf("a record's value cannot be named %q", key)
		}
		flat[key] = jsonNumber(v)
	}
	if r.Kind == "" || !utf8.ValidString(r.Kind) || r.Epoch < 0 || r.Step < 0 {
		return nil, fmt.Errorf("a record of kind %q, epoch %d, step %d cannot be written", r.Kind, r.Epoch, r.Step)
	}
	if !r.Time.IsZero() {
		if err := checkYear(r.Time.UTC()); err != nil {
			return nil, err
		}
		flat[keyTime] = r.Time.UTC().Format(timeFormat)
	}
	return json.Marshal(flat)
}

// jsonNumber is v, or the string in its place.
func jsonNumber(v float64) any {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	return v
}

// UnmarshalJSON reads what MarshalJSON wrote. It ignores values of other types, and it does not compare a checksum.
func (r *Record) UnmarshalJSON(text []byte) error {
	flat := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &flat); err != nil {
		return err
	}
	rec := Record{Values: map[string]float64{}}
	if err := json.Unmarshal(flat[keyKind], &rec.Kind); err != nil || rec.Kind == "" {
		return errors.New("it has no kind")
	}
	for key, n := range map[string]*int{keyEpoch: &rec.Epoch, keyStep: &rec.Step} {
		var err error
		if *n, err = strconv.Atoi(string(flat[key])); err != nil || *n < 0 {
			return fmt.Errorf("%s is no count: %q", key, flat[key])
		}
	}
	if text, ok := flat[keyTime]; ok {
		var err error
		if rec.Time, err = parseTime(text); err != nil {
			return err
		}
	}
	for _, key := range []string{keyKind, keyEpoch, keyStep, keyTime, keyCRC} {
		delete(flat, key)
	}
	for key, text := range flat {
		v, ok, err := parseNumber(text)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if ok {
			rec.Values[CurrentMetric(key)] = v
		}
	}
	*r = rec
	return nil
}

// checkYear refuses times that RFC 3339 cannot write.
func checkYear(t time.Time) error {
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Errorf("a time cannot be in year %d", y)
	}
	return nil
}

func parseTime(text []byte) (time.Time, error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return time.Time{}, errors.New("time is no string")
	}
	t, err := time.Parse(timeFormat, s)
	if err == nil {
		t = t.UTC()
		err = checkYear(t)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q is not as in %s", s, timeFormat)
	}
	return t, nil
}

// parseNumber reads a number, or the string in its place. ok is false for anything else.
func parseNumber(text []byte) (v float64, ok bool, err error) {
	var x any
	if err := json.Unmarshal(text, &x); err != nil {
		return 0, false, err
	}
	switch x := x.(type) {
	case float64:
		return x, true, nil
	case string:
		v, ok = notFinite[x]
	}
	return v, ok, nil
}

// Stable returns the record without its time and MachineFields. Two runs of the same configuration have the same stable records.
func (r Record) Stable() Record {
	r.Time = time.Time{}
	r.Values = maps.Clone(r.Values)
	maps.DeleteFunc(r.Values, func(k string, _ float64) bool { return slices.Contains(MachineFields, k) })
	return r
}
