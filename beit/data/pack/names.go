package pack

import (
	"errors"
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
			name, err := placed(ds, i, folders[p])
			if err != nil {
				return nil, fmt.Errorf("%q: %w", ds.Name(i), err)
			}
			list = append(list, item{ds, i, name})
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
func placed(ds data.Dataset, i int, part string) (string, error) {
	name := strings.TrimPrefix(path.Clean("/"+ds.Name(i)), "/") // no name leads out of the archive
	if name == "" || strings.Contains(name, "\x00") {
		return "", errors.New("no file of an archive can have this name")
	}
	above := func() []string { return strings.Split(path.Dir(name), "/") }
	if label := ds.Label(i); label >= 0 {
		class := ds.Classes()[label]
		if class == "" || class == "." || class == ".." || strings.ContainsAny(class, "/\x00") {
			return "", fmt.Errorf("its class %q cannot be the name of a folder: rename the class", class)
		}
		if !slices.Contains(above(), class) {
			name = path.Join(class, name)
		}
	}
	if part != "" && !slices.Contains(above(), part) {
		name = path.Join(part, name)
	}
	return name, nil
}

// renamed gives a name the ending of what the file holds: in place of its own one, or behind it, or behind it and a number, whichever is the first
// that no image has.
func renamed(name, ending string, taken map[string]bool) string {
	own := path.Ext(name)
	if strings.EqualFold(own, ending) || ending == ".jpg" && strings.EqualFold(own, ".jpeg") {
		return name
	}
	free := strings.TrimSuffix(name, own) + ending
	for n := 1; taken[free]; n++ {
		free = name + ending
		if n > 1 {
			free = fmt.Sprintf("%s-%d%s", name, n, ending)
		}
	}
	taken[free] = true
	return free
}
