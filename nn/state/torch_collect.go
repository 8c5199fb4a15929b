package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// Keys under which Metadata tells about a file of PyTorch: what the tensors
// stood under, which others they might have been, and what stood beside them, such
// as an optimizer's state. A number or text beside them has its value under
// MetaBeside and its name.
const (
	MetaContainer = "torch.container"
	MetaOthers    = "torch.others"
	MetaLeftOut   = "torch.left_out"
	MetaBeside    = "torch.beside."

	// MetaNegated lists tensors whose sign was lost. PyTorch before 2.0 did not
	// write that a tensor is to be negated. Files that may be so old have no
	// other imaginary halves of complex numbers than those of conjugates, it is
	// assumed: their sign is put right.
	MetaNegated = "torch.assumed_negative"
)

// pickled is what the pickles of a file of PyTorch hold, for torchFile.
type pickled struct {
	r      io.ReaderAt
	size   int64
	name   string
	format Format
	old    bool // PyTorch 2.1 or later did not write it, as far as the file tells
	root   any
}

// file turns it into a File: that of the tensors under key, of those whose names
// begin with it, or, where that is empty, of those that a model is saved as.
func (p pickled) file(key string) (*File, error) {
	f, err := p.under(key)
	if err == nil || key == "" {
		return f, err
	}
	if all, other := p.under(""); other == nil && all.narrow(key) {
		all.header.meta[MetaContainer] = strings.TrimPrefix(all.header.meta[MetaContainer]+"."+key, ".")
		return all, nil
	}
	return nil, err
}

// under is file for the tensors of one dict.
func (p pickled) under(key string) (*File, error) {
	c := collector{size: p.size, h: header{meta: map[string]string{}, entries: map[string]Entry{}}, steps: mostVisits, old: p.old}
	if o, ok := p.root.(*pickle.Object); ok && torchModule(o.Class) {
		p.format = TorchScript
	}
	if err := c.root(p.root, key); err != nil {
		return nil, err
	}
	if len(c.negated) > 0 {
		c.h.meta[MetaNegated] = strings.Join(c.negated, ", ")
	}
	if len(c.leftOut) > 0 {
		c.h.meta[MetaLeftOut] = strings.Join(c.leftOut, ", ")
	}
	return newFile(p.r, p.size, p.name, p.format, c.h), nil
}

// collector lists the tensors of a nested value.
type collector struct {
	h       header
	size    int64    // of the file
	total   int64    // bytes of the tensors so far, and of what is known about them
	leftOut []string // what the tensors are not among
	negated []string // tensors whose sign was lost
	old     bool
	noted   int // bytes of JSON in the metadata
	steps   int // values that may still be visited: lists may be there many times, or in themselves
}

// root lists the tensors of a state dict, wherever it stands, of a program's
// module, or of a whole module of a class that is known.
func (c *collector) root(root any, key string) error {
	if o, ok := root.(*pickle.Object); ok && torchModule(o.Class) {
		return c.object(o, "", 0)
	}
	if m := readableModule(root); m != nil {
		if key != "" { // it may begin names, which file looks for
			return fmt.Errorf("there are no tensors under the key %s: the file holds a whole module", quote(key))
		}
		return c.module(m, "", 0)
	}
	f := findTensors(root)
	chosen, others, err := f.choose(key)
	switch {
	case err != nil:
		return err
	case chosen != nil:
		return c.chosen(root, *chosen, others)
	case f.module != "":
		return fmt.Errorf("holds a whole module, of class %s, which only the program that saved it can read: %s", f.module, loadThere)
	}
	if d := asDict(root); d != nil {
		err := c.dict(d, "", 0)
		if len(c.h.entries) == 0 {
			c.beside(d, "")
		}
		return err
	}
	return fmt.Errorf("the pickle holds %s; wanted is a state dict, a dict of tensors", saved(root))
}

// loadThere says what to do with a module of a class that is not known here.
const loadThere = "load it there, and save its state_dict() in its place"

// chosen lists the tensors of the dict that was found, and notes what else there is.
func (c *collector) chosen(root any, found candidate, others []candidate) error {
	if len(found.path) > 0 {
		c.h.meta[MetaContainer] = found.key()
	}
	if len(others) > 0 {
		c.h.meta[MetaOthers] = listed(others)
	}
	v := root
	for _, key := range found.path {
		d := asDict(v)
		if d == nil {
			break
		}
		c.beside(d, key)
		v, _ = d.Get(key)
	}
	if found.dotted == 0 {
		return c.dict(found.dict, "", 0)
	}
	return c.flat(found.dict)
}

// flat lists the tensors that stand in a dict themselves, under whole names.
func (c *collector) flat(d *pickle.Dict) error {
	inner := &pickle.Dict{}
	for i, k := range d.Keys {
		switch d.Values[i].(type) {
		case *torchTensor, *oddTensor:
			inner.Keys, inner.Values = append(inner.Keys, k), append(inner.Values, d.Values[i])
		case *pickle.Dict, *pickle.List, pickle.Tuple, *pickle.Object:
			if name, ok := k.(string); ok {
				c.leftOut = append(c.leftOut, clean(name))
			}
		}
	}
	return c.dict(inner, "", 0)
}

// asDict is the dict that a value is, or nil.
func asDict(v any) *pickle.Dict {
	switch v := v.(type) {
	case *pickle.Dict:
		return v
	case *pickle.Object:
		return v.Dict
	}
	return nil
}

// saved says what a value is that holds no tensors.
func saved(v any) string {
	switch v := v.(type) {
	case *torchTensor, *oddTensor:
		return "one tensor without a name"
	case *pickle.Object:
		return fmt.Sprintf("what %v makes when it is called", v.Class)
	case *pickle.List, pickle.Tuple:
		return "a list without such"
	}
	return "neither a dict nor a module"
}

// beside notes what else a training script saved.
func (c *collector) beside(d *pickle.Dict, key string) {
	for i, k := range d.Keys {
		name, ok := k.(string)
		if !ok || name == key || len(name) > maxName {
			continue
		}
		name = clean(name)
		switch v := d.Values[i].(type) {
		case string:
			if len(v) > maxText || !utf8.ValidString(v) {
				c.leftOut = append(c.leftOut, name)
				continue
			}
			c.h.meta[MetaBeside+name] = v
		case int64, float64, bool:
			c.h.meta[MetaBeside+name] = fmt.Sprint(v)
		case *pickle.Dict:
			if name != metaDict || !c.lists(v, name) {
				c.leftOut = append(c.leftOut, name)
			}
		default:
			c.leftOut = append(c.leftOut, name)
		}
	}
}

// metaDict is the key of the dict in which mmcv notes names and colours of classes, besides the training's whole configuration.
const metaDict = "meta"

// lists notes the lists of texts, and of lists of whole numbers, in a dict: as JSON under MetaBeside, its name, a dot and their key. It reports whether
// there was one.
func (c *collector) lists(d *pickle.Dict, name string) (found bool) {
	for i, k := range d.Keys[:min(len(d.Keys), maxList)] {
		key, ok := k.(string)
		if !ok || len(key) > maxName {
			continue
		}
		text, ok := c.listText(d.Values[i])
		if c.noted += len(text); c.noted > maxLists { // a pickle may hold one list under many keys
			return found
		}
		if ok {
			c.h.meta[MetaBeside+name+"."+clean(key)] = text
			found = true
		}
	}
	return found
}

// maxList bounds the keys of a dict that are looked at and the items of a list that is noted, and maxLists the bytes of the JSON of all lists.
const (
	maxList  = 1 << 10
	maxLists = 1 << 16
)

// listText is the JSON of a list that is worth a note.
func (c *collector) listText(v any) (string, bool) {
	items, ok := itemsOf(v)
	if !ok || len(items) == 0 || len(items) > maxList {
		return "", false
	}
	list := make([]any, len(items))
	size := 0
	for i, item := range items {
		if text, ok := item.(string); ok {
			size += len(text)
			list[i] = clean(text)
		} else if list[i], ok = wholeNumbers(item); !ok {
			return "", false
		}
		if size > maxLists {
			return "", false
		}
	}
	text, err := json.Marshal(list)
	return string(text), err == nil && len(text) <= maxLists
}

// wholeNumbers are those of a short list, such as a colour.
func wholeNumbers(v any) (list []int64, ok bool) {
	items, ok := itemsOf(v)
	if !ok || len(items) > 4 {
		return nil, false
	}
	for _, item := range items {
		n, ok := item.(int64)
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// itemsOf are the items of a list or a tuple.
func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case *pickle.List:
		return v.Items, true
	case pickle.Tuple:
		return v, true
	}
	return nil, false
}

// clean is a text of a pickle as UTF-8.
func clean(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

const (
	mostVisits = 1 << 20 // values in dicts within dicts

	maxDepth = 64      // of modules within modules
	maxText  = 1 << 12 // bytes of a text beside the tensors that is kept
)

func (c *collector) visit(depth int) error {
	c.steps--
	if depth > maxDepth || c.steps < 0 {
		return errors.New("dicts lie within one another too often")
	}
	return nil
}

func (c *collector) dict(d *pickle.Dict, prefix string, depth int) error {
	if err := c.visit(depth); err != nil {
		return err
	}
	for i, k := range d.Keys {
		var key string
		switch k := k.(type) {
		case string:
			key = k
		case int64, bool:
			key = fmt.Sprint(k)
		default: // no name
			if err := c.visit(depth); err != nil {
				return err
			}
			continue
		}
		if len(prefix)+len(key) > maxName {
			return fmt.Errorf("a name begins with %s and has more than %d bytes", quote(prefix+key), maxName)
		}
		if err := c.value(d.Values[i], prefix+key, depth); err != nil {
			return err
		}
	}
	return nil
}

// object lists the tensors among a module's attributes.
func (c *collector) object(o *pickle.Object, prefix string, depth int) error {
	attributes, ok := o.State.(*pickle.Dict)
	if !ok {
		return nil
	}
	return c.dict(attributes, prefix, depth)
}

func (c *collector) value(v any, name string, depth int) error {
	if err := c.visit(depth); err != nil {
		return err
	}
	switch v := v.(type) {
	case *torchTensor:
		return c.tensor(v, name)
	case *oddTensor:
		return c.odd(v, name)
	case *pickle.Dict:
		return c.dict(v, name+".", depth+1)
	case *pickle.Object:
		if torchModule(v.Class) {
			return c.object(v, name+".", depth+1)
		}
	case *pickle.List:
		return c.list(v.Items, name)
	case pickle.Tuple:
		return c.list(v, name)
	}
	return nil // numbers and texts of a module
}

// list notes a list that begins with a tensor: what is in it has no name.
func (c *collector) list(items []any, name string) error {
	if len(items) == 0 {
		return nil
	}
	if _, ok := items[0].(*torchTensor); !ok {
		return nil
	}
	c.leftOut = append(c.leftOut, name)
	return c.charge(name, int64(len(name)))
}

// charge counts bytes that a named thing takes, and what is known about it.
func (c *collector) charge(name string, bytes int64) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("tensor %s: the name is not valid UTF-8", quote(name))
	}
	const known = 1024 // bytes of a description, about, without the name
	if c.total > 4*c.size+slack-bytes {
		return fmt.Errorf("tensor %s: the tensors would have more than four times as many bytes as the file", quote(name))
	}
	c.total += bytes + known + int64(len(name))
	return nil
}

// slack is how many bytes more than four times the file its tensors may have: a
// tensor whose rows are all the same takes the place of one.
const slack = 64 << 20

func (c *collector) tensor(t *torchTensor, name string) error {
	if _, ok := c.h.entries[name]; ok {
		return fmt.Errorf("tensor %s stands twice", quote(name))
	}
	bytes, err := byteSize(t.dtype, t.shape)
	if err != nil {
		return fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	if err := c.charge(name, bytes); err != nil {
		return err
	}
	e := Entry{
		Name: name, DType: t.dtype, Shape: t.shape, Size: bytes, Unlike: t.unlike,
		Offset: t.storage.offset + t.storage.first*int64(t.storage.dtype.Size()) + t.first*int64(t.dtype.Size()),
	}
	if c.old && t.bare && t.imaginary() {
		e.Unlike.Negative = true
		c.negated = append(c.negated, name)
	}
	if !contiguous(t.shape, t.strides) {
		e.Strides = t.strides
	}
	if e.Size == 0 {
		e.Offset = t.storage.offset
	}
	c.h.entries[name] = e
	return nil
}

// odd lists a tensor that cannot be read, for those who miss it.
func (c *collector) odd(t *oddTensor, name string) error {
	if _, ok := c.h.entries[name]; ok {
		return fmt.Errorf("tensor %s stands twice", quote(name))
	}
	if err := c.charge(name, 0); err != nil {
		return err
	}
	c.h.entries[name] = Entry{Name: name, DType: t.dtype(), Shape: []int{}, Offset: noOffset}
	return nil
}

// sortedKeys is for texts that list what a map holds.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
