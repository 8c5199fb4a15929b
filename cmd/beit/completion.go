package main

import (
	_ "embed"
	"io"
)

// completionCmd is "beit completion".
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" placeholder:"SHELL" help:"bash, zsh or fish."`
}

// The scripts ask the command itself what may stand at the end of a line, so they do not change with it.
var (
	//go:embed completion/beit.bash
	bashCompletion string
	//go:embed completion/beit.zsh
	zshCompletion string
	//go:embed completion/beit.fish
	fishCompletion string
)

// Run prints the script.
func (c *completionCmd) Run(a *app) error {
	_, err := io.WriteString(a.out, map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell])
	return err
}
