package state

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// containers are the keys under which training scripts save the dict of tensors,
// in order of preference where a file has several: the weights that the optimizer
// left before their moving averages, as the authors' scripts do, and a teacher,
// which is the average, before its student.
var containers = strings.Fields("model module state_dict model_state_dict model_state weights net network params_ema params generator " +
	"state_dict_ema model_ema ema ema_model ema_state_dict model_ema_state_dict teacher target_encoder student encoder backbone")

// rankOf is a key's place among the containers, and behind them all for others.
func rankOf(key string) int {
	if i := slices.Index(containers, key); i >= 0 {
		return i
	}
	return len(containers)
}

// candidate is a dict that has tensors under names.
type candidate struct {
	path    []string // keys that lead to it
	dict    *pickle.Dict
	tensors int
	dotted  int // tensors of these whose names have a dot, as those of layers within layers do
}

func (c candidate) String() string {
	if len(c.path) == 0 {
		return fmt.Sprintf("the outermost dict (%d tensors)", c.tensors)
	}
	return fmt.Sprintf("%s (%d tensors)", quote(c.key()), c.tensors)
}

// key is the path as --key takes it.
func (c candidate) key() string { return strings.Join(c.path, ".") }

// known reports whether all keys that lead to a dict are containers.
func (c candidate) known() bool {
	return !slices.ContainsFunc(c.path, func(k string) bool { return rankOf(k) == len(containers) })
}

// optimizer reports whether a dict lies in what an optimizer saved: moments of
// tensors, which may have the tensors' names.
func (c candidate) optimizer() bool {
	return slices.ContainsFunc(c.path, func(k string) bool { return strings.HasPrefix(strings.ToLower(k), "opt") })
}

// compare orders dicts by preference.
func compare(a, b candidate) int {
	return slices.CompareFunc(a.path, b.path, func(x, y string) int { return cmp.Compare(rankOf(x), rankOf(y)) })
}

// mostDicts is how many dicts of tensors are told apart: far above what scripts save.
const mostDicts = 1 << 12

// finder looks through what was saved for dicts with tensors. It visits each value
// once: what stands beside the tensors may contain itself.
type finder struct {
	seen   map[any]bool
	found  []candidate
	module string // the class of the first whole module, with the keys that lead to it
}

func findTensors(root any) *finder {
	f := &finder{seen: map[any]bool{}}
	f.visit(root, nil, 0)
	return f
}

// visit looks through one value, which lies within as many others as depth says. What
// lies deeper than any state dict is not looked at.
func (f *finder) visit(v any, path []string, depth int) {
	if depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case *pickle.Dict:
		if v != nil && f.first(v) {
			f.dict(v, path, depth)
		}
	case *pickle.List:
		if f.first(v) {
			f.list(v.Items, path, depth)
		}
	case pickle.Tuple:
		if len(v) > 0 && f.first(&v[0]) {
			f.list(v, path, depth)
		}
	case *pickle.Object:
		if f.first(v) {
			f.object(v, path, depth)
		}
	}
}

// first reports whether a value, named by its address, is met for the first time.
func (f *finder) first(address any) bool {
	if f.seen[address] {
		return false
	}
	f.seen[address] = true
	return true
}

func (f *finder) dict(d *pickle.Dict, path []string, depth int) {
	c := candidate{path: slices.Clone(path), dict: d}
	for i, k := range d.Keys {
		key, isText := k.(string)
		switch v := d.Values[i].(type) {
		case *torchTensor:
			if isText {
				c.tensors++
				if strings.Contains(key, ".") {
					c.dotted++
				}
			}
		case *pickle.Dict, *pickle.List, pickle.Tuple, *pickle.Object:
			if !isText {
				key = "?"
			}
			if len(key) <= maxName {
				f.visit(v, append(path, key), depth+1)
			}
		}
	}
	if (c.dotted > 0 || c.tensors > 0 && c.known()) && len(f.found) < mostDicts {
		f.found = append(f.found, c)
	}
}

func (f *finder) list(items []any, path []string, depth int) {
	for i, v := range items {
		f.visit(v, append(path, strconv.Itoa(i)), depth+1)
	}
}

// object looks into a dict of a class of its own, and into attributes.
func (f *finder) object(o *pickle.Object, path []string, depth int) {
	if isModule(o) {
		if f.module == "" {
			f.module = fmt.Sprintf("%v%s", o.Class, under(path))
		}
		return
	}
	f.visit(o.Dict, path, depth+1)
	f.visit(o.State, path, depth+1)
	for _, v := range o.Args {
		if d, ok := v.(*pickle.Dict); ok { // that a class wraps
			f.visit(d, path, depth+1)
		}
	}
}

// isModule reports whether an object is a module of PyTorch.
func isModule(o *pickle.Object) bool {
	d, ok := o.State.(*pickle.Dict)
	if !ok {
		return false
	}
	_, modules := d.Get("_modules")
	_, parameters := d.Get("_parameters")
	return modules && parameters
}

func under(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return " under " + quote(strings.Join(path, "."))
}

// choose returns the dict that a key names, or the one that holds the model. others
// are those that it was preferred to. The result is nil where none stands out and
// the outermost dict has to do.
func (f *finder) choose(key string) (chosen *candidate, others []candidate, err error) {
	list := f.found
	if key != "" {
		if list = f.under(key); len(list) == 0 {
			return nil, nil, fmt.Errorf("there are no tensors under the key %s; there are some under %s", quote(key), listed(f.found))
		}
	} else {
		list = slices.DeleteFunc(slices.Clone(list), candidate.optimizer)
	}
	list = f.large(list)
	if len(list) == 0 {
		return nil, nil, nil
	}
	slices.SortStableFunc(list, compare)
	if len(list) > 1 && compare(list[0], list[1]) == 0 {
		return nil, nil, fmt.Errorf("several models may be meant: choose one by its key (--key) of %s", listed(list))
	}
	return &list[0], list[1:], nil
}

// under returns the dicts at or below a key.
func (f *finder) under(key string) (list []candidate) {
	for _, c := range f.found {
		if at := c.key(); at == key {
			return []candidate{c}
		} else if strings.HasPrefix(at, key+".") {
			list = append(list, c)
		}
	}
	return list
}

// large returns the dicts that may be a model: those that have at least half as
// many tensors under dotted names as the largest. Where no name has a dot, they are
// those under the keys of containers.
func (f *finder) large(list []candidate) []candidate {
	most := 0
	for _, c := range list {
		most = max(most, c.dotted)
	}
	return slices.DeleteFunc(slices.Clone(list), func(c candidate) bool {
		if most == 0 {
			return !c.known() || len(c.path) == 0
		}
		return 2*c.dotted < most
	})
}

// listed names some of the dicts for a message.
func listed(list []candidate) string {
	const most = 8
	var names []string
	for _, c := range list[:min(most, len(list))] {
		names = append(names, c.String())
	}
	if len(list) > most {
		names = append(names, fmt.Sprintf("%d more", len(list)-most))
	}
	if len(names) == 0 {
		return "no key"
	}
	return strings.Join(names, ", ")
}
