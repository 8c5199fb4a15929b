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

// List is a Python list.
type List struct{ Items []any }

// Set is a Python set or frozenset. What is in it is not kept.
type Set struct{}

// Long is a text or byte string of more than MaxText bytes, which are not kept.
type Long struct{}

// Dict is a Python dict of any kind, in the order of insertion.
type Dict struct {
	Keys, Values []any // of the same length
	index        map[string]int
}

// Get returns the value of a key that is text, and whether there is one.
func (d *Dict) Get(key string) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Values[i], true
}

// Set adds a key, which must be new if it is text.
func (d *Dict) Set(key, value any) error {
	switch key := key.(type) {
	case *List, *Dict: // Python cannot have them either
		return fmt.Errorf("a dict has a key of type %T", key)
	case string:
		if _, ok := d.index[key]; ok {
			return fmt.Errorf("key %s stands twice", strconv.Quote(short(key)))
		}
		if d.index == nil {
			d.index = map[string]int{}
		}
		d.index[key] = len(d.Keys)
	}
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
	return nil
}

// Object is what a call stands for that means nothing to the caller: never more
// than a name and the values that were given.
type Object struct {
	Class Class // of the instance, or the function that was called; empty for what an object made when it was called
	Args  Tuple
	State any   // what its attributes would be set from, often a *Dict
	Dict  *Dict // keys and values that were set, of an object that is a dict; or nil
}
