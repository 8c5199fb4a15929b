package data

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// fileAt returns the file behind image i of a dataset, through subsets and others that this package makes. It is nil where there is none.
func fileAt(ds Dataset, i int) (f *files, own int) {
	for {
		switch d := ds.(type) {
		case *files:
			return d, i
		case *subset:
			ds, i = d.Dataset, d.index[i]
		case *cached:
			ds = d.Dataset
		case *relabelled:
			ds = d.Dataset
		case *joined:
			part, inner := d.at(i)
			ds, i = d.parts[part], inner
		default:
			return nil, 0
		}
	}
}

// WhyUnlabelled says in words why the images of ds have no labels, and what to do.
func WhyUnlabelled(ds Dataset) string {
	for {
		switch d := ds.(type) {
		case *files:
			return d.why
		case *joined:
			return d.why
		case *subset:
			ds = d.Dataset
		case *cached:
			ds = d.Dataset
		default:
			return wantsClasses
		}
	}
}

// Contents tells apart datasets with the same names of images.
type Contents struct {
	Labels string `json:"labels"` // of all images, with the names of their classes
	Sizes  string `json:"sizes"`  // of the files
	Times  string `json:"times"`  // when the files were written
}

// mostStats bounds how many files ContentsOf asks the file system for: of more, it asks for so many of them that are evenly spread.
const mostStats = 1 << 17

// ContentsOf looks at labels, and at sizes and times of files, but not into files. Fields are empty where there are no labels or no files.
func ContentsOf(ds Dataset) Contents {
	var c Contents
	if ds == nil || ds.Len() == 0 {
		return c
	}
	h := uint64(0)
	mix := func(v uint64) { h = h*0x9e3779b97f4a7c15 + v }
	text := func() string { return fmt.Sprintf("%016x", h) }
	if classes := ds.Classes(); len(classes) > 0 {
		for _, name := range classes {
			mix(tensor.HashString(name))
		}
		for i := range ds.Len() {
			mix(uint64(ds.Label(i)))
		}
		c.Labels, h = text(), 0
	}
	infos := statSome(ds)
	if infos == nil {
		return c
	}
	for _, info := range infos {
		mix(uint64(info.size))
	}
	c.Sizes, h = text(), 0
	for _, info := range infos {
		mix(uint64(info.modified))
	}
	c.Times = text()
	return c
}

// fileStat is what is looked at of a file; both are -1 for one that cannot be asked for.
type fileStat struct{ size, modified int64 }

// statSome asks for the files of ds, or some of them. It is nil where there are none.
func statSome(ds Dataset) []fileStat {
	if f, _ := fileAt(ds, 0); f == nil {
		return nil
	}
	n := min(ds.Len(), mostStats)
	list := make([]fileStat, n)
	tensor.ParallelFor(n, func(k int) {
		list[k] = fileStat{-1, -1}
		f, own := fileAt(ds, int(int64(k)*int64(ds.Len())/int64(n)))
		if f == nil {
			return
		}
		if info, err := stat(f.fsys, f.paths[own]); err == nil {
			list[k] = fileStat{info.Size(), info.ModTime().UnixNano()}
		}
	})
	return list
}

// Changed says in words what differs from what was known before, whose empty fields are not known. It is empty where nothing does.
func (c Contents) Changed(before Contents) string {
	differ := func(a, b string) bool { return a != "" && a != b }
	switch {
	case differ(before.Labels, c.Labels) && differ(before.Sizes, c.Sizes):
		return "labels and files of images"
	case differ(before.Labels, c.Labels):
		return "labels of images"
	case differ(before.Sizes, c.Sizes):
		return "files of images: their sizes differ"
	case differ(before.Times, c.Times):
		return "files of images: they were written anew, with the same sizes"
	}
	return ""
}
