package main

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit/train"
)

// configCmd is "beit config".
type configCmd struct {
	Stage string `arg:"" optional:"" placeholder:"STAGE" help:"Print the configuration of this stage, teacher, tokenizer or pretrain; without it, list the presets."`
	configFlags
	Keys bool `help:"List the keys of the stage."`
}

// Run prints presets, keys or a configuration as TOML.
func (c *configCmd) Run(a *app) error {
	if c.Stage == "" {
		for _, s := range train.Stages() {
			if _, err := fmt.Fprintf(a.out, "%s:\n  %s\n", s, strings.Join(train.Presets(s), "\n  ")); err != nil {
				return err
			}
		}
		return nil
	}
	cfg, err := train.Configure(train.Stage(c.Stage), c.Preset, c.Config, c.Set)
	if err != nil {
		return usageError{err}
	}
	if c.Keys {
		_, err = fmt.Fprintln(a.out, strings.Join(train.Keys(cfg.Stage), "\n"))
		return err
	}
	_, err = fmt.Fprint(a.out, cfg.TOML())
	return err
}
