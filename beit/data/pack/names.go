package pack

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
)

// item is an image to write.
type item struct {
	from  data.Dataset
	index int
	name  string // in the archive
}

// ending of the files.
func (o Options) ending() string {
	if o.PNG {
		return ".png"
	}
	return ".jpg"
}

// itemsOf lists the images with their names in the archive.
func itemsOf(train, val data.Dataset, ending string) (list []item, err error) {
	parts := []data.Dataset{train}
	folders := []string{""}
	if val != nil {
		parts, folders = append(parts, val), []string{"train", "val"}
	}
	for p, ds := range parts {
		for i := range ds.Len() {
			list = append(list, item{ds, i, placed(ds, i, folders[p])})
		}
	}
	taken := make(map[string]bool, len(list))
	for _, it := range list {
		taken[it.name] = true
	}
	used := make(map[string]bool, len(list))
	for i, it := range list {
		list[i].name = renamed(it.name, ending, taken)
		if used[list[i].name] {
			return nil, fmt.Errorf("%q: %w", list[i].name, errTwice)
		}
		used[list[i].name] = true
	}
	return list, nil
}

// placed is the name of an image, in a folder for its class and below one for its part, where it is not in them already.
func placed(ds data.Dataset, i int, part string) string {
	name := strings.TrimPrefix(path.Clean("/"+ds.Name(i)), "/") // no name leads out of the archive
	above := func() []string { return strings.Split(path.Dir(name), "/") }
	if label := ds.Label(i); label >= 0 {
		if class := ds.Classes()[label]; !slices.Contains(above(), class) {
			name = path.Join(class, name)
		}
	}
	if part != "" && !slices.Contains(above(), part) {
		name = path.Join(part, name)
	}
	return name
}

// renamed gives a name the ending of what the file holds: in place of its own one, or behind it where an image has that name already.
func renamed(name, ending string, taken map[string]bool) string {
	own := path.Ext(name)
	if strings.EqualFold(own, ending) || ending == ".jpg" && strings.EqualFold(own, ".jpeg") {
		return name
	}
	if other := strings.TrimSuffix(name, own) + ending; !taken[other] {
		taken[other] = true
		return other
	}
	return name + ending
}
