package report

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/model"
)

// ReadAll reads runs and the runs that they come from, parents before children. A path is a run folder, a file in one, or a folder with runs below it,
// of which one that cannot be read has nothing but Problems.
func ReadAll(ctx context.Context, paths []string, options ...model.Option) ([]*Run, error) {
	f := family{seen: map[string]bool{}, options: options}
	for _, path := range paths {
		dirs := []string{FolderOf(path)}
		if dirs[0] == "" {
			list, err := model.List(ctx, path, options...)
			if err != nil {
				return nil, err
			}
			if len(list) == 0 {
				return nil, fmt.Errorf("there are no runs in %s or below: name a run folder, or a folder with runs in it", path)
			}
			dirs = nil
			for _, l := range list {
				dirs = append(dirs, l.Dir)
			}
		}
		for _, dir := range dirs {
			if err := f.add(dir); err != nil && len(dirs) == 1 {
				return nil, err
			} else if err != nil {
				f.runs = append(f.runs, &Run{Dir: dir, Problems: []string{err.Error()}})
			}
		}
	}
	return f.runs, nil
}

// family collects runs.
type family struct {
	seen    map[string]bool // absolute folders
	runs    []*Run
	options []model.Option
}

// add reads the run in a folder, and before it those that it comes from. Parents that cannot be read are left out.
func (f *family) add(dir string) error {
	if key := whole(dir); f.seen[key] {
		return nil
	} else {
		f.seen[key] = true
	}
	r, err := Read(dir, f.options...)
	if err != nil {
		return err
	}
	for _, p := range r.Parents {
		if p.Dir != "" {
			_ = f.add(p.Dir)
		}
	}
	f.runs = append(f.runs, r)
	return nil
}

// whole is the absolute path of a folder, without links.
func whole(dir string) string {
	if path, err := filepath.EvalSymlinks(dir); err == nil {
		dir = path
	}
	if path, err := filepath.Abs(dir); err == nil {
		dir = path
	}
	return dir
}

// labels are short names of runs: as many of the last parts of their paths as tell them apart.
func labels(runs []*Run) []string {
	for parts := 1; ; parts++ {
		list, seen, longer := make([]string, len(runs)), map[string]bool{}, false
		for i, r := range runs {
			names := strings.Split(filepath.ToSlash(whole(r.Dir)), "/")
			longer = longer || len(names) > parts
			list[i] = strings.Join(names[max(len(names)-parts, 0):], "/")
			seen[list[i]] = true
		}
		if len(seen) == len(runs) || !longer {
			return list
		}
	}
}
