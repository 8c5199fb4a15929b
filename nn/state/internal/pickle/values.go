package pickle

import (
	"fmt"
	"strconv"
)

// Class is the name of a Python class or function.
type Class struct{ Module, Name string }

// String is the dotted name, quoted: it comes from the file.
func (c Class) String() string { return strconv.Quote(short(c.Module) + "." + short(c.Name)) }

// short cuts a text from a file for an error text.
func short(s string) string {
	const limit = 80
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list or set.
type List struct{ Items []any }

// Dict is a Python dict of any kind, in the order of insertion.
type Dict struct {
	Keys, Values []any // of the same length; keys are string, int64 or bool
	index        map[any]int
}

// Get returns the value of a key and whether there is one.
func (d *Dict) Get(key any) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Values[i], true
}

// Set adds a key, which must be new.
func (d *Dict) Set(key, value any) error {
	switch key.(type) {
	case string, int64, bool:
	default:
		return fmt.Errorf("a dict has a key of type %T", key)
	}
	if _, ok := d.index[key]; ok {
		return fmt.Errorf("key %s stands twice", strconv.Quote(short(fmt.Sprint(key))))
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	d.index[key] = len(d.Keys)
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
	return nil
}

// Object is an instance of a class that the hooks know, never more than its
// name and the values that it would be made from.
type Object struct {
	Class Class
	Args  Tuple
	State any // what its attributes would be set from, often a *Dict
}
