package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Moved says that a path of a configuration leads nowhere any more, and where the same thing was found.
type Moved struct{ Key, From, To string }

// String is a sentence for people.
func (m Moved) String() string { return m.Key + ": " + m.From + " is not there; taken is " + m.To }

// Locate makes the paths of c absolute, as far as something is there: those of images and models, whose fields have the tag path. What is no path
// stays as it is, such as shapes:200 or the name of a published file.
//
// dir is the run folder that c was read from; empty for a configuration that was made now. A path of such a run that leads nowhere is looked for
// from its folder, by as many of its last parts as possible: a run that was moved together with its tokenizer finds it. Locate returns what was
// found so.
func (c *Config) Locate(dir string) (moved []Moved) {
	for _, f := range c.fields() {
		if f.tag.Get("path") == "" {
			continue
		}
		list := Paths(f.value.String()).List()
		for i, path := range list {
			if near := look(path, dir); near != "" {
				list[i] = near
				moved = append(moved, Moved{f.key, path, near})
			} else {
				list[i] = absolute(path)
			}
		}
		f.value.SetString(string(PathsOf(list...)))
	}
	return moved
}

// absolute is a path that holds in every folder; the path itself where nothing is there.
func absolute(path string) string {
	drawn := !filepath.IsAbs(path) && strings.Contains(filepath.Base(path), ":") // synthetic images, whatever there is of that name
	if _, err := os.Stat(path); err != nil || drawn {
		return path
	}
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// levels are the folders above a run folder in which Locate looks. The third is that of the project, for a run in runs/recipe/backbone.
const levels = 3

// look finds what stood at a path by the last parts of the path, from a run folder and those above it; empty where the path is right or nothing is
// found.
func look(path, dir string) string {
	if _, err := os.Stat(path); dir == "" || !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for rest := filepath.ToSlash(filepath.Clean(path)); rest != ""; _, rest, _ = strings.Cut(rest, "/") {
		folder := dir
		for range levels + 1 {
			near := filepath.Join(folder, filepath.FromSlash(rest))
			if _, err := os.Stat(near); err == nil {
				return near
			}
			folder = filepath.Dir(folder)
		}
	}
	return ""
}
