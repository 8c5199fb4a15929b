package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// LoadStart loads the weights of the model at path into the parameters of another network, as far as both have them and to says that they may
// differ, and tells of the rest.
func (e *Env) LoadStart(path string, from *weights.Model, params []*nn.Param, to *weights.Transfer) error {
	fit, err := from.Fit(params, to)
	if err == nil {
		err = fit.Load()
	}
	if err != nil {
		return err
	}
	r := fit.Report
	e.Reporter.Notice(fmt.Sprintf("%s: %d tensors loaded; random init: %s; not used: %s", path, len(r.Loaded), Listed(r.Missing),
		Listed(append(slices.Clone(r.Unexpected), r.Dropped...))))
	return nil
}

// Listed names a few of many.
func Listed(names []string) string {
	const most = 6
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
