package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is refused before memory is asked for: far above anything published, and too much for any machine that trains here.
const (
	MostOfAny   = 1 << 24 // of whatever a key counts, synthetic images too
	MostPatches = 1 << 16 // of an image
	MostBlocks  = 1 << 10 // of a network
	MostNumbers = 1 << 33 // in the parameters of a part of a model
)

// Check says what is wrong with the configuration, naming the keys.
func (c *Config) Check() error {
	var k Checker
	fields := c.fields()
	for _, f := range fields {
		counts := !strings.HasPrefix(f.key, "log.") && f.key != "data.max_pixels" // multiplied with others
		if f.value.Kind() == reflect.Int && counts {
			k.Must(f.value.Int() <= MostOfAny, "%s = %d: must be at most %d", f.key, f.value.Int(), MostOfAny)
		}
	}
	if len(k.errs) > 0 { // what is below multiplies
		return k.err()
	}
	for _, f := range fields {
		k.limits(f)
	}
	k.Must(c.Seed <= math.MaxInt64, "seed = %d: must be below 2^63", c.Seed)
	k.Must(c.InitKey == "" || c.InitFrom != "", "init_key = %q: name the file that has this model in init_from", c.InitKey)
	k.Must(c.Data.Seed <= math.MaxInt64, "data.seed = %d: must be below 2^63", c.Data.Seed)
	k.Must(!c.Data.ValFromTrain || c.Data.ValFraction > 0, "data.val_from_train: say with data.val_fraction how much is set aside")
	t := c.Train
	k.Must(t.AccumulationSteps < 1 || t.Batch%t.AccumulationSteps == 0, "train.accumulation_steps = %d: must divide train.batch = %d", t.AccumulationSteps, t.Batch)
	c.Section.Check(c, &k)
	return k.err()
}

// Checker collects what is wrong.
type Checker struct{ errs []error }

// Must notes the formatted complaint unless ok.
func (k *Checker) Must(ok bool, format string, args ...any) {
	if !ok {
		k.errs = append(k.errs, fmt.Errorf(format, args...))
	}
}

// OneOf notes a value that is not allowed.
func (k *Checker) OneOf(key, value string, allowed ...string) {
	k.Must(slices.Contains(allowed, value), "%s = %q: must be one of %s", key, value, strings.Join(allowed, ", "))
}

// Part notes what is wrong with a table that checks itself.
func (k *Checker) Part(table string, err error) {
	if err != nil {
		k.errs = append(k.errs, fmt.Errorf("%s: %w", table, err))
	}
}

// Numbers refuses a matrix of parameters that no machine holds.
func (k *Checker) Numbers(table string, rows, cols int) {
	k.Must(float64(rows)*float64(cols) <= MostNumbers, "%s: %d x %d parameters: no machine holds them", table, rows, cols)
}

// OK says whether nothing was wrong so far.
func (k *Checker) OK() bool { return len(k.errs) == 0 }

// limits checks a value against its tags.
func (k *Checker) limits(f field) {
	if list := f.tag.Get("oneof"); list != "" {
		allowed := strings.Fields(list)
		for _, pair := range strings.Fields(f.tag.Get("alias")) {
			name, _, _ := strings.Cut(pair, "=")
			allowed = append(allowed, name)
		}
		k.OneOf(f.key, f.value.String(), allowed...)
	}
	text := f.tag.Get("range")
	if text == "" {
		if v := f.value; v.CanFloat() { // JSON has no other numbers, and a run whose configuration differs from itself never resumes
			k.Must(!math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0), "%s = %g: must be a finite number", f.key, v.Float())
		}
		return
	}
	r := parseRange(text)
	switch v := f.value; {
	case v.Type() == durationType:
		k.Must(v.Int() >= 0, "%s = %s: must not be negative", f.key, time.Duration(v.Int()))
	case v.CanInt():
		k.Must(r.holds(float64(v.Int())), "%s = %d: must be %s", f.key, v.Int(), r.words("at least %g"))
	default:
		k.Must(r.holds(v.Float()), "%s = %g: must be %s", f.key, v.Float(), r.words("a number of at least %g"))
	}
}

// span is a range of numbers.
type span struct {
	low, high         float64
	openLow, openHigh bool
}

// parseRange reads a tag such as "[0,1)" or "[1,)". It panics on a tag that has another form.
func parseRange(text string) span {
	low, high, ok := strings.Cut(strings.Trim(text, "[]()"), ",")
	r := span{openLow: strings.HasPrefix(text, "("), openHigh: strings.HasSuffix(text, ")"), high: math.Inf(1)}
	var err error
	if r.low, err = strconv.ParseFloat(low, 64); err == nil && high != "" {
		r.high, err = strconv.ParseFloat(high, 64)
	}
	if !ok || err != nil {
		panic(fmt.Sprintf("config: range tag %q", text))
	}
	return r
}

// holds says whether x lies inside. Infinity and NaN do not.
func (r span) holds(x float64) bool {
	return (x > r.low || x == r.low && !r.openLow) && (x < r.high || x == r.high && !r.openHigh)
}

// words describes the range; least is the form of one without an upper end.
func (r span) words(least string) string {
	if math.IsInf(r.high, 1) {
		return fmt.Sprintf(least, r.low)
	}
	open, shut := "[", "]"
	if r.openLow {
		open = "("
	}
	if r.openHigh {
		shut = ")"
	}
	return fmt.Sprintf("in %s%g, %g%s", open, r.low, r.high, shut)
}

// err is everything that is wrong, on one line.
func (k *Checker) err() error {
	if len(k.errs) == 0 {
		return nil
	}
	var parts []string
	for _, err := range k.errs {
		parts = append(parts, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return errors.New("config: " + strings.Join(parts, "; "))
}
