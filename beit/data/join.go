package data

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
)

// OpenAll opens several sources as one: see Join. open opens each. No names are an error.
func OpenAll(names []string, open func(name string) (*Source, error)) (*Source, error) {
	if len(names) == 0 {
		return nil, errors.New("no images are named: name a folder, an archive, a list or an image")
	}
	var list []*Source
	for _, name := range names {
		s, err := open(name)
		if err != nil {
			for _, opened := range list {
				err = errors.Join(err, opened.Close())
			}
			return nil, err
		}
		list = append(list, s)
		if err := sameMasks(names[0], list[0], name, s); err != nil {
			for _, opened := range list {
				err = errors.Join(err, opened.Close())
			}
			return nil, err
		}
	}
	return Join(names, list), nil
}

// sameMasks refuses sources whose masks do not have the same classes.
func sameMasks(firstName string, first *Source, name string, s *Source) error {
	a, masked := MaskClassesOf(first.Train)
	b, _ := MaskClassesOf(s.Train)
	if !masked || slices.Equal(a.Names, b.Names) {
		return nil
	}
	return fmt.Errorf("the masks of %s have %d classes, those of %s have %d or other names: say how many, or put the same table beside both", firstName, len(a.Names), name, len(b.Names))
}

// Join puts sources together: the training images of all of them, and the validation images. Names of images begin with the last element of the
// source's name. Classes of the same name are one class; there are labels where all sources have them. A single source stays as it is. Join panics
// when there is none, or when there are more or fewer names than sources.
func Join(names []string, list []*Source) *Source {
	if len(list) == 0 || len(names) != len(list) {
		panic(fmt.Sprintf("data: Join: %d names for %d sources", len(names), len(list)))
	}
	if len(list) == 1 {
		return list[0]
	}
	all := &Source{}
	var train, val joined
	var left leftOut
	prefixes := prefixesOf(names)
	for i, s := range list {
		train.add(prefixes[i], s.Train)
		if s.Val != nil {
			val.add(prefixes[i], s.Val)
		}
		for _, name := range s.Unused {
			all.Unused = append(all.Unused, prefixes[i]+"/"+name)
		}
		if s.Table != "" && all.Table == "" {
			all.Table = prefixes[i] + "/" + s.Table
		}
		left.merge(s.LeftOut)
	}
	train.unite(nil)
	all.Train, all.LeftOut = &train, left.list()
	if len(val.parts) > 0 {
		val.unite(train.classes)
		all.Val = &val
	}
	all.close = func() (err error) {
		for _, s := range list {
			err = errors.Join(err, s.Close())
		}
		return err
	}
	return all
}

// WithVal is the source with the validation images of another one, or all of its images. Validation images of its own are left out. It is not to be
// closed.
func (s *Source) WithVal(eval *Source) *Source {
	both := &Source{
		Train: s.Train, TrainDir: s.TrainDir, Val: eval.Val, ValDir: eval.ValDir,
		Unused: slices.Concat(s.Unused, eval.Unused), Table: cmp.Or(s.Table, eval.Table),
	}
	if both.Val == nil {
		both.Val, both.ValDir = eval.Train, eval.TrainDir
	}
	var left leftOut
	left.merge(s.LeftOut)
	left.merge(eval.LeftOut)
	if s.Val != nil {
		const place = " in whose place others are named"
		left.count(LeftOut{Kind: "validation image" + place, Many: "validation images" + place, Count: s.Val.Len(), Example: s.Val.Name(0)})
	}
	both.LeftOut = left.list()
	return both
}

// prefixesOf are short names, different ones, of sources.
func prefixesOf(names []string) []string {
	var list []string
	for _, name := range names {
		base := filepath.Base(name)
		short := base
		for n := 2; slices.Contains(list, short); n++ {
			short = fmt.Sprintf("%s#%d", base, n)
		}
		list = append(list, short)
	}
	return list
}

// joined is several datasets behind each other.
type joined struct {
	prefixes []string
	parts    []Dataset
	ends     []int // number of images up to the end of each part
	classes  []string
	why      string
}

func (j *joined) add(prefix string, ds Dataset) {
	j.prefixes, j.parts = append(j.prefixes, prefix), append(j.parts, ds)
	j.ends = append(j.ends, j.Len()+ds.Len())
}

// unite numbers the classes of all parts: as in classes, if that is not nil.
func (j *joined) unite(classes []string) {
	var all []string
	same := true
	for i, ds := range j.parts {
		if len(ds.Classes()) == 0 {
			j.why = fmt.Sprintf("%s: %s", j.prefixes[i], WhyUnlabelled(ds))
			return
		}
		all = append(all, ds.Classes()...)
		same = same && slices.Equal(ds.Classes(), j.parts[0].Classes())
	}
	switch {
	case classes != nil:
	case same:
		classes = j.parts[0].Classes()
	default:
		classes = numberedClasses(all)
	}
	for i, ds := range j.parts {
		numbered, err := Relabel(ds, classes)
		if err != nil {
			j.why = fmt.Sprintf("%s: %v", j.prefixes[i], err)
			return
		}
		j.parts[i] = numbered
	}
	j.classes = classes
}

func (j *joined) Len() int {
	if len(j.ends) == 0 {
		return 0
	}
	return j.ends[len(j.ends)-1]
}

// at finds the part of image i, and the image's number in it.
func (j *joined) at(i int) (part, own int) {
	part = sort.SearchInts(j.ends, i+1)
	return part, i - j.ends[part] + j.parts[part].Len()
}

func (j *joined) Classes() []string { return j.classes }

func (j *joined) Name(i int) string {
	part, own := j.at(i)
	return j.prefixes[part] + "/" + j.parts[part].Name(own)
}

func (j *joined) Label(i int) int {
	if j.classes == nil {
		return -1
	}
	part, own := j.at(i)
	return j.parts[part].Label(own)
}

func (j *joined) Sample(i int) (Sample, error) {
	part, own := j.at(i)
	s, err := j.parts[part].Sample(own)
	s.Label = j.Label(i)
	return s, err
}
