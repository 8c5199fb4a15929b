package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
)

// client fetches published files. Tests put a server of their own in its place.
var client = http.DefaultClient

// opener opens the models that a configuration names, and fetches published ones.
func (a *app) opener() method.Opener { return model.Opener(model.Fetching(a.get)) }

// env is what an experiment gets from the process.
func (a *app) env(r *reporter) experiment.Env {
	return experiment.Env{Device: a.dev, Reporter: r, Open: a.opener()}
}

// get fetches a published file that a command needs.
func (a *app) get(p model.Published, path string) error {
	_, err := a.fetch(p, path)
	return err
}

// fetch puts a published file at path, and says so. It returns its SHA-256.
func (a *app) fetch(p model.Published, path string) (sum string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	show := &fetching{r: newReporter(a.errOut), name: p.Short, path: path}
	sum, err = p.Fetch(a.ctx, client, path, show.progress)
	show.r.clear()
	switch {
	case !errors.Is(err, model.ErrNotServed):
		return sum, err
	case show.done > 0:
		return "", fmt.Errorf("%w; the same command goes on from there", err)
	}
	return "", fmt.Errorf("%w; fetch it by other means, put it at %s, and run this command again", err, path)
}

// fetching shows how far a download is: a line when it begins, and on a terminal one that changes.
type fetching struct {
	r          *reporter
	name, path string
	begun      bool
	done       int64
}

func (f *fetching) progress(done, total int64) {
	const mb = 1_000_000
	all := "an unknown number of"
	if total >= 0 {
		all = fmt.Sprint(max(total/mb, 1))
	}
	if !f.begun {
		f.begun = true
		line := fmt.Sprintf("fetching %s, %s MB, to %s", f.name, all, f.path)
		if done > 0 {
			line += fmt.Sprintf("; %d MB came before", done/mb)
		}
		f.r.Notice(line)
	} else if done/mb > f.done/mb {
		f.r.live(fmt.Sprintf("%s: %d of %s MB", f.name, done/mb, all))
	}
	f.done = done
}
