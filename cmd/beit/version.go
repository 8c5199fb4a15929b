package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/tensor"
)

// versionCmd is "beit version".
type versionCmd struct {
	Levels bool `help:"Print the CPU levels that this machine can run, one a line, slowest first; BEIT_CPU forces one."`
}

// Run prints what this binary is and what it runs on.
func (c *versionCmd) Run(a *app) error {
	if c.Levels {
		_, err := fmt.Fprintln(a.out, strings.Join(tensor.CPULevels(), "\n"))
		return err
	}
	_, err := fmt.Fprintf(a.out, "%s\n%s\n", programLine(), a.dev.Report())
	return err
}

// programLine says what this binary is.
func programLine() string {
	version := beit.Version
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" && info.Main.Version != version {
		version += " (" + info.Main.Version + ")"
	}
	return fmt.Sprintf("beit %s, %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
