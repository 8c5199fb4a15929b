package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// pullCmd is "beit pull".
type pullCmd struct {
	Name string `arg:"" optional:"" placeholder:"NAME" help:"Published file, by its short name or its own (none: list them)."`
	Out  string `placeholder:"FILE" help:"Where to put it (in the cache, where commands find it by its name)."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// pulled is where a file is.
type pulled struct {
	model.Published
	Path string `json:"path"`
	Sum  string `json:"file_sha256"` // of the file at path
}

// Run downloads a published file, or checks the one that is there.
func (c *pullCmd) Run(a *app) error {
	if c.Name == "" {
		return c.list(a)
	}
	p, err := model.FindPublished(c.Name)
	if err != nil {
		return usageError{err}
	}
	r := pulled{Published: p, Path: c.Out}
	if r.Path == "" {
		if r.Path, _, err = p.Cached(); err != nil {
			return err
		}
	}
	if isFolder(r.Path) {
		r.Path = filepath.Join(r.Path, p.Name)
	}
	if _, statErr := os.Stat(r.Path); statErr == nil {
		r.Sum, err = p.Check(r.Path)
	} else {
		r.Sum, err = a.fetch(p, r.Path)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, r)
	}
	_, err = fmt.Fprintf(a.out, "%s: SHA-256 %s, %s\n", plain.Text(r.Path), r.Sum, r.verdict())
	return err
}

// verdict says how much of the digest could be compared.
func (p pulled) verdict() string {
	switch n := len(p.SHA256); n {
	case 0:
		return "none is published to compare it with"
	case len(p.Sum):
		return "as published"
	default:
		return fmt.Sprintf("of which the %d digits that are published agree", n)
	}
}

// listed is a published file, and whether it is in the cache.
type listed struct {
	model.Published
	Cached string `json:"cached,omitempty"` // its path there; empty: it is not
}

func (c *pullCmd) list(a *app) error {
	var list []listed
	for _, p := range model.PublishedFiles() {
		o := listed{Published: p}
		path, there, err := p.Cached()
		if err != nil {
			return err
		}
		if there {
			o.Cached = path
		}
		list = append(list, o)
	}
	if c.JSON {
		return printJSON(a.out, list)
	}
	for _, o := range list {
		size := ""
		switch {
		case o.Cached != "":
			size = "cached"
		case o.MB > 0:
			size = fmt.Sprintf("%d MB", o.MB)
		}
		if _, err := fmt.Fprintf(a.out, "%-28s  %7s  %s\n", o.Short, size, o.About); err != nil {
			return err
		}
	}
	return nil
}

// isFolder says whether there is a folder at path.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
