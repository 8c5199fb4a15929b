package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// pullCmd is "beit pull".
type pullCmd struct {
	Name string `arg:"" optional:"" placeholder:"NAME" help:"Published file, with or without its ending (none: list them)."`
	Out  string `placeholder:"FILE" help:"Where to put it (the same name in this folder)."`
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
		r.Path = p.Name
	}
	if isFolder(r.Path) {
		r.Path = filepath.Join(r.Path, p.Name)
	}
	if _, statErr := os.Stat(r.Path); statErr == nil {
		r.Sum, err = p.Check(r.Path)
	} else {
		r.Sum, err = c.fetch(a, p, r.Path)
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

func (c *pullCmd) fetch(a *app, p model.Published, path string) (string, error) {
	_, live := terminal(a.errOut)
	shown := int64(-1)
	sum, err := p.Fetch(a.ctx, http.DefaultClient, path, func(done, total int64) {
		const step = 16 << 20
		if live && done/step != shown {
			shown = done / step
			of := ""
			if total >= 0 {
				of = fmt.Sprintf(" of %d", total>>20)
			}
			fmt.Fprintf(a.errOut, "\r%s: %d%s MB ", p.Name, done>>20, of)
		}
	})
	if live && shown >= 0 {
		fmt.Fprintln(a.errOut)
	}
	if errors.Is(err, model.ErrNotServed) {
		return "", fmt.Errorf("%w; fetch %s elsewhere, put it at %s, and run this command again, which then checks it", err, p.URL, path)
	}
	return sum, err
}

func (c *pullCmd) list(a *app) error {
	list := model.PublishedFiles()
	if c.JSON {
		return printJSON(a.out, list)
	}
	for _, p := range list {
		if _, err := fmt.Fprintf(a.out, "%-62s %s\n", p.Name, p.About); err != nil {
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
