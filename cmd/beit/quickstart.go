package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// quickstartCmd is "beit quickstart".
type quickstartCmd struct {
	Out  string `placeholder:"DIR" help:"Folder for the runs (runs/quickstart, numbered). A folder of an interrupted quickstart is continued."`
	JSON bool   `name:"json" help:"Print figures as JSON."`
}

// Run trains both ways and prints what was learned.
func (c *quickstartCmd) Run(a *app) error {
	if err := checkExperiment(c.Out); err != nil {
		return err
	}
	a.train()
	dir := c.Out
	if dir == "" {
		var err error
		if dir, err = freeFolder(filepath.Join("runs", "quickstart")); err != nil {
			return err
		}
		defer os.Remove(dir) // which fails unless it is empty: no run could begin
	}
	began := time.Now()
	r := newReporter(a.errOut)
	quick, err := experiment.Quickstart(a.ctx, a.env(r), dir)
	r.clear()
	if err != nil {
		again := experiment.ShellLine(slices.Concat([]string{"beit"}, a.flags, []string{"quickstart", "--out", experiment.InPlace(dir)}))
		if errors.Is(err, train.ErrInterrupted) { // says where
			return fmt.Errorf("%w; continue with: %s", err, again)
		}
		return adviseAll(a, err, "continue with: "+again, "the quickstart goes on with: "+again)
	}
	if c.JSON {
		return printJSON(a.out, quick)
	}
	if err := quick.Print(a.out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "\n%s in all; run folders with metrics and report.html are in %s\n", figure.Duration(time.Since(began)), plain.Text(dir))
	return err
}
