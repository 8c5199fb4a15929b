package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/beit/experiment"
)

// recipeCmd is "beit recipe".
type recipeCmd struct {
	Images []string `arg:"" optional:"" name:"path" help:"Images, as for --data."`
	imageFlags
	Time time.Duration `required:"" placeholder:"2h" help:"How long all runs may take together."`
	Out  string        `placeholder:"DIR" help:"Folder for the runs (runs/recipe, numbered)."`
	JSON bool          `name:"json" help:"Print the plan as JSON."`
}

// Run prints a plan. It trains for moments, to measure, and ends after a step as trainings do, so that it can clean up.
func (c *recipeCmd) Run(a *app) error {
	c.Data = append(c.Images, c.Data...)
	if err := c.check(); err != nil {
		return err
	}
	if c.Time <= 0 {
		return usagef("--time %v: must be positive, such as 30m or 2h", c.Time)
	}
	if err := checkExperiment(c.Out); err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		var err error
		if out, err = freeName(filepath.Join("runs", "recipe")); err != nil {
			return err
		}
	}
	a.train()
	r := newReporter(a.errOut)
	images, eval := c.paths()
	recipe, err := attempt(func() (*experiment.Recipe, error) {
		return experiment.PlanRecipe(a.ctx, a.env(r), experiment.RecipeRequest{
			Data: images, EvalData: eval, ValFraction: c.ValFraction, ExifTranspose: c.ExifTranspose, Out: out, Time: c.Time, Flags: a.flags,
		})
	})
	r.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, recipe)
	}
	return recipe.Script(a.out)
}

// freeName is the first of name, name-2, name-3, … that does not exist.
func freeName(name string) (string, error) {
	for i := 1; ; i++ {
		dir := numbered(name, i)
		if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
			return dir, nil
		} else if err != nil {
			return "", fmt.Errorf("run folder: %w", err)
		}
	}
}
