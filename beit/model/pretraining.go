package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/weights"
)

// Pretraining is a way to pretrain a backbone, by the name that "beit pretrain --method" has for it.
type Pretraining struct {
	Name     string
	Title    string // one line for people
	Method   *method.Method
	Set      []string // assignments that choose it among the ways of Method
	Settings []string // assignments that a new run begins with: a resumed one keeps its own
	Given    bool     // it learns from a published network, in place of a tokenizer of ours
}

// Pretrainings are all ways to pretrain a backbone, by their names: the targets of package pretrain, and the methods whose Command is
// "pretrain --method" with their own name.
func Pretrainings() (list []Pretraining) {
	for _, k := range target.Kinds {
		list = append(list, Pretraining{
			Name: k.Method, Title: k.Title, Method: pretrain.Method, Set: []string{"pretrain.target=" + k.Name},
			Settings: k.Settings, Given: k.Tokenizer != weights.Tokenizer && k.Tokenizer != "",
		})
	}
	for _, m := range methods {
		if m.Command == pretrain.Method.Command+" --method "+m.Name {
			list = append(list, Pretraining{Name: m.Name, Title: m.Title, Method: m})
		}
	}
	slices.SortFunc(list, func(a, b Pretraining) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// FindPretraining returns the way to pretrain of a name. The error lists the names.
func FindPretraining(name string) (Pretraining, error) {
	var names []string
	for _, p := range Pretrainings() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Pretraining{}, fmt.Errorf("%s: %s", name, config.Hint(name, names, "%s", "there are "+strings.Join(names, ", ")))
}

// TokenizerKey is the key of the configuration that names the tokenizer which this way learns from; empty where it learns from none.
func (p Pretraining) TokenizerKey() string {
	c := p.Method.Preset(p.Method.Presets[0])
	for _, s := range p.Set {
		if err := c.Set(s); err != nil {
			panic(fmt.Sprintf("model: %s: %v", p.Name, err)) // a target's name is a value of its key
		}
	}
	return p.Method.UpstreamKey(c, pretrain.RoleTokenizer)
}
