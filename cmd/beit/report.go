package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// reportCmd is "beit report".
type reportCmd struct {
	Runs   []string `arg:"" name:"run" placeholder:"RUN" help:"Run folders, or folders with runs in them. A run may be under way."`
	Out    string   `placeholder:"FILE.html" help:"Page to write (report.html in the folder, where one is named)."`
	Images int      `default:"500" placeholder:"N" help:"Validation images that each model is shown, at most (${default}); 0: no image and no model is opened."`
}

// Run writes a page about runs, and the runs that they come from.
func (c *reportCmd) Run(a *app) error {
	switch {
	case c.Images < 0:
		return usagef("--images %d: must be at least 0", c.Images)
	case c.Out != "" && filepath.Ext(c.Out) != ".html":
		return usagef("--out %s: name a file that ends in .html", c.Out)
	case c.Out == "" && len(c.Runs) > 1:
		return usagef("name the page of several runs with --out FILE.html")
	}
	for _, path := range c.Runs {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no run %s: name a run folder, or a folder with runs in it", path)
		}
	}
	runs, err := report.ReadAll(a.ctx, c.Runs)
	if err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = filepath.Join(cmp.Or(report.FolderOf(c.Runs[0]), c.Runs[0]), run.ReportFile)
	}
	r := newReporter(a.errOut)
	for i, one := range runs {
		r.Progress(method.Progress{Method: "report", Phase: plain.Name(filepath.Base(one.Dir)), Done: i, Total: len(runs)})
		if c.Images == 0 {
			continue
		}
		if err := one.Look(a.ctx, report.View{Device: a.dev, Images: c.Images}); err != nil {
			return err
		}
	}
	r.clear()
	title := ""
	if len(c.Runs) > 1 || report.FolderOf(c.Runs[0]) == "" {
		title = fmt.Sprintf("%d runs", len(runs))
	}
	if err := report.HTML(c.Out, title, runs...); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, plain.Name(c.Out))
	return err
}
