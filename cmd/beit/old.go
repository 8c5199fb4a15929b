package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/gobeit/gobeit/beit/dino"
)

// oldFlags are former names of flags, which kong knows as aliases, and what they are called now.
var oldFlags = []struct{ was, is string }{{"--accum", "--accumulation-steps"}, {"--plan", "--dry-run"}}

// noteOldFlags tells of old names among the arguments.
func noteOldFlags(w io.Writer, args []string) {
	for _, f := range oldFlags {
		for _, arg := range args {
			if name, _, _ := strings.Cut(arg, "="); name == f.was {
				fmt.Fprintf(w, "%s is called %s now\n", f.was, f.is)
				break
			}
		}
	}
}

// oldEval is the old form of beit eval.
func (c *finetuneCmd) oldEval(a *app) error {
	allowed := runFlags{imageFlags: c.imageFlags, configFlags: configFlags{Set: c.Set}, JSON: c.JSON}
	if c.LabelFraction != nil || !reflect.DeepEqual(allowed, c.runFlags) {
		return usagef("--eval trains nothing: leave the flags of training away; it is called beit eval MODEL now")
	}
	fmt.Fprintln(a.errOut, "beit finetune --eval MODEL is called beit eval MODEL now")
	on := measureFlags{modelArg: modelArg{Model: c.Eval}, imagesArg: imagesArg{Data: c.Data}, splitFlags: c.splitFlags}
	eval := evalCmd{measureFlags: on, ClassNames: c.ClassNames, ClassMask: c.ClassMask, Set: c.Set, JSON: c.JSON}
	return eval.Run(a)
}

// oldTeacherCmd is "beit teacher".
type oldTeacherCmd struct {
	Train oldTeacherTrainCmd `cmd:"" help:"Old name of pretrain --method dino."`
}

// oldTeacherTrainCmd is "beit teacher train".
type oldTeacherTrainCmd struct{ runFlags }

// Run trains by self-distillation.
func (c *oldTeacherTrainCmd) Run(a *app) error {
	fmt.Fprintf(a.errOut, "beit teacher train is called beit %s now\n", dino.Method.Command)
	return c.run(a, dino.Method)
}

// oldAblateCmd is "beit ablate".
type oldAblateCmd struct{ compareCmd }

// Run makes the tables.
func (c *oldAblateCmd) Run(a *app) error {
	fmt.Fprintln(a.errOut, "beit ablate is called beit compare now")
	return c.compareCmd.Run(a)
}
