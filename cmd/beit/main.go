// Command beit trains, probes and uses BEiT v2 models: visual tokenizers and backbones pretrained on their codes.
//
//	beit quickstart                                                          # everything once, on synthetic images, in minutes
//	beit recipe --time 2h images                                             # a plan of what follows, for so much time
//	beit tokenizer train --data images --out runs/tokenizer
//	beit pretrain --data images --tokenizer runs/tokenizer --out runs/backbone
//	beit probe linear runs/backbone --data images
//	beit finetune --init-from runs/backbone --data images --out runs/classifier
//	beit embed runs/backbone images --out x.npy
//
// beit --help lists the commands, and beit COMMAND --help the flags of one. What was asked for goes to standard output, progress and
// warnings to standard error, where an error is one line that says what to do.
//
// Exit status: 0 success, 1 failure, 2 wrong usage, 3 the run diverged, 130 interrupted, 141 nobody reads the output any more. A training goes on without readers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailure     = 1
	statusUsage       = 2
	statusDiverged    = 3
	statusInterrupted = 130
	statusNoReader    = 141 // 128 + SIGPIPE, as a shell says of other commands
)

// cli is the command line: a command is a field, its flags are its fields.
type cli struct {
	Device  string `default:"cpu" env:"BEIT_DEVICE" placeholder:"NAME" help:"Where to compute: cpu, vulkan, or vulkan:N, the N that 'beit devices' shows."`
	Threads *int   `placeholder:"N" help:"Threads that work on one operation (all cores). Results do not depend on it."`

	DistTimeout time.Duration `default:"10m" placeholder:"10m" help:"How long processes that mpirun or srun started wait for one that stands still."`

	Quickstart quickstartCmd `cmd:"" help:"Pretrain on synthetic images, of which few have labels, and show what that is worth beside training from scratch. Takes minutes and needs nothing."`
	Recipe     recipeCmd     `cmd:"" help:"Plan runs on your own images that take a given time on this machine, as a shell script."`
	Tokenizer  tokenizerCmd  `cmd:"" help:"Train, measure and use visual tokenizers."`
	Pretrain   pretrainCmd   `cmd:"" help:"Pretrain a backbone: on the codes of a tokenizer, or by --method on something else."`
	Finetune   finetuneCmd   `cmd:"" help:"Fine-tune a classifier."`
	Segment    segmentCmd    `cmd:"" help:"Train, measure and use models that tell the class of every pixel."`
	Eval       evalCmd       `cmd:"" help:"Measure a classifier."`
	Predict    predictCmd    `cmd:"" help:"Name the classes of images, by a classifier."`
	Probe      probeCmd      `cmd:"" help:"Measure what a backbone's features are worth."`
	Runs       runsCmd       `cmd:"" help:"List runs: their state, epochs, last figure, and size."`
	Report     reportCmd     `cmd:"" help:"Write a page about runs: curves, images, predictions and configuration, with the runs that they come from."`
	Serve      serveCmd      `cmd:"" help:"Show runs, their curves and what their models make of an image, as a web page on this machine."`
	Compare    compareCmd    `cmd:"" help:"Compare decoders, codebooks, aggregation, teachers and networks, as tables; or chains of runs, or ways to pretrain, at equal cost."`
	Embed      embedCmd      `cmd:"" help:"Write a vector for each image, by a backbone."`
	Similar    similarCmd    `cmd:"" help:"Find the images that resemble one most, by a backbone."`
	Codebook   codebookCmd   `cmd:"" help:"Show what the codes of a tokenizer stand for: pages with the patches of each, in their images."`
	Map        mapCmd        `cmd:"" help:"Show images as a backbone sees them, on a page: map, clusters, near-duplicates, outliers, leaks, suspected label errors, a diverse subset."`
	Attention  attentionCmd  `cmd:"" help:"Draw the attention weights of a model for an image, head by head: a .png file, and a page on which any patch can be chosen."`
	Rebuild    rebuildCmd    `name:"reconstruct" cmd:"" help:"Draw images masked, rebuilt by a masked autoencoder, and as they are: a .png file and a page."`
	Inspect    inspectCmd    `cmd:"" help:"Show what is in a model file or run folder."`
	Verify     verifyCmd     `cmd:"" help:"Say whether a network looks dead, saturated or at chance, on synthetic images."`
	Convert    convertCmd    `cmd:"" help:"Write a model under the authors' names, timm's or Hugging Face's."`
	Pack       packCmd       `cmd:"" help:"Write images to a .tar file, as small as a training needs them."`
	Pull       pullCmd       `cmd:"" help:"Fetch published weights, or check those that are there."`
	Config     configCmd     `cmd:"" help:"List the presets, print the configuration that a preset and assignments give, or explain its keys."`
	Devices    devicesCmd    `cmd:"" help:"List the devices that can compute, and say why others cannot."`
	Bench      benchCmd      `cmd:"" help:"Measure the speed of this machine."`
	Completion completionCmd `cmd:"" help:"Print a script by which bash, zsh or fish completes commands, flags and values."`
	Version    versionCmd    `cmd:"" help:"Print version and device."`

	Teacher oldTeacherCmd `cmd:"" hidden:"" help:"Old name of pretrain --method dino."`
	Ablate  oldAblateCmd  `cmd:"" hidden:"" help:"Old name of compare."`
}

// app is what commands get from the process.
type app struct {
	ctx         context.Context
	dev         *tensor.Device
	flags       []string // by which the device and its threads were chosen, where they are not the usual ones
	out, errOut *stream

	group  dist.Group // of the processes that train together
	member member     // this one; nil in a group of one
}

// train says that the command under way is a training, which goes on when nobody reads its output any more, and has a step to end.
func (a *app) train() {
	a.out.lasting = true
	training.Store(true)
}

// training is set while the command under way is a training.
var training atomic.Bool

// grace is how long a command that is no training may take to end after a signal: it has nothing to save.
const grace = time.Second

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, endSignals()...)
	outliveReaders()
	go func() {
		<-signals
		var late <-chan time.Time
		if training.Load() {
			fmt.Fprintln(os.Stderr, "\nending after this step at the latest; interrupt again to end at once")
		} else {
			late = time.After(grace)
		}
		cancel()
		select {
		case <-signals:
		case <-late:
			fmt.Fprintln(os.Stderr, "beit: "+errInterrupted.Error())
		}
		os.Exit(statusInterrupted)
	}()
	boundGarbage()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// newParser returns the parser of a command line into c.
func newParser(c *cli, out, errOut io.Writer) *kong.Kong {
	return kong.Must(c, kong.Name("beit"), helpTexts, kong.Writers(out, errOut), kong.Exit(func(code int) { panic(leave(code)) }),
		kong.Description("BEiT v2 in Go: visual tokenizers, masked image modelling, probes."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 120}))
}

// leave is what kong's wish to end the process (after --help) is turned into.
type leave int

// execute carries out one command line and returns the exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	out, errOut := &stream{w: stdout}, &stream{w: stderr, lasting: true}
	defer func() {
		if p := recover(); p != nil {
			status = recovered(errOut, p)
		}
	}()
	var c cli
	parser := newParser(&c, out, errOut)
	if len(args) > 0 && args[0] == completeCommand {
		if err := complete(out, parser.Model.Node, args[1:]); err != nil {
			return fail(errOut, statusFailure, err)
		}
		return statusOK
	}
	args = habits(args, parser.Model.Node)
	command, err := parser.Parse(args)
	switch {
	case out.broken:
		return statusNoReader
	case out.failed != nil: // help
		return fail(errOut, statusFailure, out.failed)
	case err != nil:
		return fail(errOut, statusUsage, explain(err, parser, args))
	}
	noteOldFlags(errOut, args)
	a := &app{ctx: ctx, out: out, errOut: errOut}
	if err := a.join(command.Command(), c.DistTimeout); err != nil {
		return fail(errOut, statusOf(err), err)
	}
	defer a.group.Close() // when this process has said why it ends
	if err := a.choose(c.Device, c.Threads); err != nil {
		return fail(errOut, statusOf(err), err)
	}
	defer vulkan.Close(a.dev) // after a panic, which says what is wrong
	err = command.Run(a)
	if closing := vulkan.Close(a.dev); err == nil {
		err = closing
	}
	if err == nil {
		err = out.failed // of a write that nobody looked at
	}
	switch {
	case err == nil:
		return statusOK
	case out.broken && gone(err):
		return statusNoReader
	case errors.Is(err, context.Canceled) && !errors.Is(err, train.ErrInterrupted):
		err = errInterrupted
	}
	status = statusOf(err)
	if err := a.told(err); err != nil {
		fail(errOut, status, err)
	}
	return status
}

// errInterrupted stands for a canceled context, in the user's words.
var errInterrupted = errors.New("interrupted")

// statusOf returns the exit status for the error of a command.
func statusOf(err error) int {
	var usage usageError
	var setting experiment.SettingError
	switch {
	case errors.As(err, &usage), errors.As(err, &setting):
		return statusUsage
	case errors.Is(err, train.ErrNotFinite), errors.Is(err, train.ErrDiverged):
		return statusDiverged
	case errors.Is(err, train.ErrInterrupted), errors.Is(err, errInterrupted):
		return statusInterrupted
	}
	return statusFailure
}

// recovered reports a panic and returns the exit status. One of the device with an error is the world's: no memory, a fault. The others are ours.
func recovered(errOut io.Writer, p any) int {
	if code, ok := p.(leave); ok {
		return int(code)
	}
	if failed, ok := p.(*tensor.Error); ok && failed.Err != nil {
		return fail(errOut, statusFailure, failed)
	}
	return fail(errOut, statusFailure, internal(p))
}

// habits turns what people are used to from other programs into our form of it: commands that are flags there, and flags with underscores.
func habits(args []string, root *kong.Node) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, value, has := strings.Cut(arg, "=")
		if strings.HasPrefix(name, "--") && strings.Contains(name, "_") && (commandLine{node: root}).has(hyphened(name[2:])) {
			if args[i] = hyphened(name); has {
				args[i] += "=" + value
			}
		}
	}
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(args[1:len(args):len(args)], "--help")
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
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
	if device != "cpu" {
		a.flags = append(a.flags, "--device", device)
	}
	if threads != nil {
		a.flags = append(a.flags, "--threads", strconv.Itoa(*threads))
	}
	own, err := a.ownGPU(a.ctx, device)
	if err != nil {
		return err
	}
	dev, err := vulkan.OpenNamed(a.ctx, own)
	switch {
	case errors.Is(err, vulkan.ErrName) && deviceElsewhere.MatchString(device):
		return usagef("--device %s: this program computes on cpu, or on GPUs of any maker through Vulkan: --device vulkan; 'beit devices' lists them", device)
	case errors.Is(err, vulkan.ErrName):
		return usageError{err}
	case err != nil:
		return err
	}
	a.dev = dev
	if dev == tensor.CPU() {
		a.warn(tensor.CPUSelfTest())
	}
	return nil
}

// deviceElsewhere is what other programs call a device.
var deviceElsewhere = regexp.MustCompile(`(?i)^(cuda|gpu|mps|metal|mkl|xpu|rocm|hip|npu|tpu|opencl|auto|\d+)\b`)

// warn prints the verdict of the CPU's self-test when it failed.
func (a *app) warn(verdict string, ok bool) {
	if !ok {
		fmt.Fprintln(a.errOut, "beit: warning: the CPU's self-test failed, please report it: "+verdict)
	}
}

// fail prints one line and returns status.
func fail(w io.Writer, status int, err error) int {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	fmt.Fprintln(w, "beit: "+plain.Text(strings.Join(lines, "; ")))
	return status
}
