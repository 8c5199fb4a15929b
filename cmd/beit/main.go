// Command beit trains, probes and uses BEiT v2 models: visual tokenizers and backbones pretrained on their codes.
//
//	beit quickstart                                                          # everything once, on drawn pictures, in minutes
//	beit tokenizer train --data pictures --out runs/tokenizer
//	beit pretrain --data pictures --tokenizer runs/tokenizer --out runs/backbone
//	beit probe linear runs/backbone --data pictures
//	beit finetune --init-from runs/backbone --data pictures --out runs/classifier
//	beit embed runs/backbone pictures --out x.npy
//
// beit --help lists the commands, and beit COMMAND --help the flags of one. What was asked for goes to standard output, progress and
// warnings to standard error, where an error is one line that says what to do.
//
// Exit status: 0 success, 1 failure, 2 wrong usage, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailure     = 1
	statusUsage       = 2
	statusInterrupted = 130
)

// cli is the command line: a command is a field, its flags are its fields.
type cli struct {
	Device  string `default:"cpu" placeholder:"NAME" help:"Where to compute: cpu, vulkan, or vulkan:N, the N that 'beit devices' shows."`
	Threads *int   `placeholder:"N" help:"Threads that work on one operation (all cores). Results do not depend on it."`

	Quickstart quickstartCmd `cmd:"" help:"Train a tokenizer and a backbone on drawn pictures and show what they learned. Takes minutes and needs nothing."`
	Tokenizer  tokenizerCmd  `cmd:"" help:"Train, measure and use visual tokenizers."`
	Teacher    teacherCmd    `cmd:"" help:"Train a teacher on pictures alone (self-distillation)."`
	Pretrain   pretrainCmd   `cmd:"" help:"Pretrain a backbone on the codes of a tokenizer."`
	Finetune   finetuneCmd   `cmd:"" help:"Fine-tune a classifier, or measure one (--eval)."`
	Predict    predictCmd    `cmd:"" help:"Name the classes of pictures, by a classifier."`
	Probe      probeCmd      `cmd:"" help:"Measure what a backbone's features are worth."`
	Ablate     ablateCmd     `cmd:"" help:"Compare decoders, codebooks, aggregation, teachers and networks, as tables."`
	Embed      embedCmd      `cmd:"" help:"Write a vector for each picture, by a backbone."`
	Similar    similarCmd    `cmd:"" help:"Find the pictures that resemble one most, by a backbone."`
	Inspect    inspectCmd    `cmd:"" help:"Show what is in a model file or run folder."`
	Verify     verifyCmd     `cmd:"" help:"Say whether a network looks dead, saturated or at chance, on drawn pictures."`
	Convert    convertCmd    `cmd:"" help:"Write a model under the authors' names, timm's or Hugging Face's."`
	Pull       pullCmd       `cmd:"" help:"Fetch published weights, or check those that are there."`
	Config     configCmd     `cmd:"" help:"List the presets, or print the configuration that a preset and assignments give."`
	Devices    devicesCmd    `cmd:"" help:"List the devices that can compute, and say why others cannot."`
	Bench      benchCmd      `cmd:"" help:"Measure the speed of this machine."`
	Version    versionCmd    `cmd:"" help:"Print version and device."`
}

// app is what commands get from the process.
type app struct {
	ctx         context.Context
	dev         *tensor.Device
	out, errOut io.Writer
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintln(os.Stderr, "\nending after this step; interrupt again to end at once")
		cancel()
		<-signals
		os.Exit(statusInterrupted)
	}()
	boundGarbage()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// leave is what kong's wish to end the process (after --help) is turned into.
type leave int

// run carries out one command line and returns the exit status.
func run(ctx context.Context, args []string, out, errOut io.Writer) (status int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case leave:
			status = int(p)
		case *tensor.Error:
			if p.Err == nil {
				status = fail(errOut, statusFailure, internal(p))
				return
			}
			status = fail(errOut, statusFailure, p) // what a device cannot do: memory, a fault
		default:
			status = fail(errOut, statusFailure, internal(p))
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("beit"), kong.Writers(out, errOut), kong.Exit(func(code int) { panic(leave(code)) }),
		kong.Description("BEiT v2 in Go: visual tokenizers, masked image modelling, probes."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 120}))
	if err != nil {
		panic(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		return fail(errOut, statusUsage, explain(err, parser, args))
	}
	a := &app{ctx: ctx, out: out, errOut: errOut}
	if err := a.choose(c.Device, c.Threads); err != nil {
		var usage usageError
		if errors.As(err, &usage) {
			return fail(errOut, statusUsage, err)
		}
		return fail(errOut, statusFailure, err)
	}
	defer vulkan.Close(a.dev) // after a panic, which says what is wrong
	err = command.Run(a)
	if closing := vulkan.Close(a.dev); err == nil {
		err = closing
	}
	var usage usageError
	switch {
	case err == nil:
		return statusOK
	case errors.As(err, &usage):
		return fail(errOut, statusUsage, err)
	case errors.Is(err, train.ErrInterrupted):
		return fail(errOut, statusInterrupted, err)
	case errors.Is(err, context.Canceled):
		return fail(errOut, statusInterrupted, errors.New("interrupted"))
	}
	return fail(errOut, statusFailure, err)
}

// internal is a mistake of this program.
func internal(p any) error {
	return fmt.Errorf("internal error, please report it with the command that you ran: %v", p)
}

// choose sets device and threads.
func (a *app) choose(device string, threads *int) error {
	if threads != nil && *threads < 1 {
		return usagef("--threads %d: must be at least 1", *threads)
	}
	if err := tensor.CheckCPU(); err != nil {
		return usageError{err}
	}
	if threads != nil {
		tensor.SetThreads(*threads)
	}
	kind, index, _ := strings.Cut(device, ":")
	switch {
	case device == "cpu":
		a.dev = tensor.CPU()
		a.warn(tensor.CPUSelfTest())
		return nil
	case kind == "vulkan" && (index != "" || device == "vulkan"):
		dev, err := vulkan.Open(a.ctx, vulkan.Options{Device: index})
		a.dev = dev
		return err
	}
	return usagef("--device %s: want cpu, vulkan or vulkan:N; 'beit devices' lists them", device)
}

// warn prints the verdict of the CPU's self-test when it failed.
func (a *app) warn(verdict string, ok bool) {
	if !ok {
		fmt.Fprintln(a.errOut, "beit: warning: the CPU's self-test failed, please report it: "+verdict)
	}
}

// fail prints one line and returns status.
func fail(w io.Writer, status int, err error) int {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	fmt.Fprintln(w, "beit: "+plain(strings.Join(lines, "; ")))
	return status
}

// terminal says whether w is one, and how wide.
func terminal(w io.Writer) (columns int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return columns, err == nil && columns > 20
}
