package serve

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
)

// listEvery is how long a list of runs is good.
const listEvery = 2 * time.Second

// roster lists the runs in a folder. It looks again at those that changed or are under way.
type roster struct {
	root string

	mu    sync.Mutex
	at    time.Time
	known map[string]entry // by folder
	list  []model.Listed
}

// entry is a run with the state of its files when it was looked at.
type entry struct {
	model.Listed
	stamp stamp
}

// stamp is the sizes and times of the files from which a list is made.
type stamp [3]struct {
	size int64
	time time.Time
}

func stampOf(dir string) (s stamp) {
	for i, name := range []string{run.ConfigFile, run.StatusFile, run.MetricsFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			s[i].size, s[i].time = info.Size(), info.ModTime()
		}
	}
	return s
}

// runs lists the runs, the one that changed last first. The list is not changed later.
func (r *roster) runs(ctx context.Context) ([]model.Listed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) < listEvery {
		return r.list, nil
	}
	known, list := map[string]entry{}, []model.Listed{}
	err := model.Walk(ctx, r.root, func(dir string, err error) {
		if err != nil {
			list = append(list, model.Unread(dir, err))
			return
		}
		stamp := stampOf(dir)
		e, ok := r.known[dir]
		if !ok || e.stamp != stamp || e.State == run.StateRunning {
			e = entry{model.Look(dir), stamp}
		}
		known[dir] = e
		list = append(list, e.Listed)
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b model.Listed) int {
		return cmp.Or(cmp.Compare(under(b), under(a)), b.Updated.Compare(a.Updated), cmp.Compare(a.Dir, b.Dir))
	})
	r.known, r.list, r.at = known, list, time.Now()
	return list, nil
}

// under is 1 for a run that is under way.
func under(l model.Listed) int {
	if l.State == run.StateRunning {
		return 1
	}
	return 0
}

// name is the place of a run below the root, with slashes; "" for the root itself.
func (r *roster) name(dir string) string {
	rel, err := filepath.Rel(r.root, dir)
	if err != nil || rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

// find returns the run of a name. Other folders have none.
func (r *roster) find(ctx context.Context, name string) (model.Listed, error) {
	list, err := r.runs(ctx)
	if err != nil {
		return model.Listed{}, err
	}
	for _, l := range list {
		if r.name(l.Dir) == name {
			return l, nil
		}
	}
	return model.Listed{}, errNoRun
}

// split finds the run to which a file belongs: the rest is the place of the file in it.
func (r *roster) split(ctx context.Context, name string) (l model.Listed, rest string, err error) {
	list, err := r.runs(ctx)
	if err != nil {
		return model.Listed{}, "", err
	}
	for _, l := range list {
		dir := r.name(l.Dir)
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok || dir == "" {
			if dir == "" {
				rest = name
			}
			return l, rest, nil
		}
	}
	return model.Listed{}, "", errNoRun
}
