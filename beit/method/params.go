package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// LoadParams fills parameters and buffers from a file, strictly, but for tensors whose names begin with one of the prefixes in skip.
func LoadParams(params []*nn.Param, f *state.File, skip ...string) error {
	_, err := state.Load(nn.Slots(params), f, func(name string) (string, bool) {
		for _, prefix := range skip {
			if strings.HasPrefix(name, prefix) {
				return "", false
			}
		}
		return name, true
	})
	return err
}

// StartStrictly loads into t what a finished model of its method holds. Models of other methods are refused.
func StartStrictly(t Task, own *Method, m *Model) error {
	if m.Method == nil || m.Method.Name != own.Name {
		return fmt.Errorf("%s: holds a %s, wanted is a %s", m.Path, m.Kind, own.Title)
	}
	params := t.Finished()
	if !m.Run {
		fit, err := m.Fit(params)
		if err != nil {
			return err
		}
		return fit.Load()
	}
	skip := []string{PrefixTrain}
	for _, prefix := range m.Beside {
		if !slices.ContainsFunc(params, func(p *nn.Param) bool { return strings.HasPrefix(p.Name, prefix) }) {
			skip = append(skip, prefix)
		}
	}
	return LoadParams(params, m.File(), skip...)
}
