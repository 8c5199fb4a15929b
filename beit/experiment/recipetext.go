package experiment

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// program is what commands begin with.
const program = "beit"

// commands fills in the commands, those of the runs first, and the folders of the runs.
func (q RecipeRequest) commands(r *Recipe) error {
	folder := func(name string) string { return filepath.Join(q.Out, name) }
	images, runs := q.images(r.ValFraction), recipeRunsOf(r.labelled())
	tok, backbone := folder(runs[0].folder), folder(runs[1].folder)
	for i, one := range runs {
		p := &r.Runs[i]
		p.Folder = folder(one.folder)
		length := []string{fmt.Sprintf("train.epochs=%d", p.Epochs), fmt.Sprintf("train.epoch_steps=%d", p.EpochSteps)}
		set := slices.Concat(images, r.settings(one, tok, backbone), length)
		if _, err := config.Configure(one.method.Spec, r.Preset, "", set, nil); err != nil {
			return SettingError{err}
		}
		r.command(q, one.method.Command, slices.Concat([]string{"--preset", r.Preset}, q.flags(set), []string{"--out", InPlace(p.Folder)}))
	}
	if r.labelled() {
		shown := q.flags(images)
		r.command(q, "probe linear", append([]string{InPlace(backbone), "--pool", "cls,mean"}, shown...))
		r.command(q, "eval", append([]string{InPlace(r.Runs[2].Folder)}, shown...))
	}
	return nil
}

// command adds a command.
func (r *Recipe) command(q RecipeRequest, name string, args []string) {
	r.Commands = append(r.Commands, slices.Concat([]string{program}, q.Flags, strings.Fields(name), args))
}

// flags are the flags that assignments stand for, in their order.
func (q RecipeRequest) flags(set []string) (list []string) {
	for _, s := range set {
		key, value, _ := strings.Cut(s, "=")
		switch key {
		case "data.path":
			list = append(list, PathFlags("--data", q.Data)...)
		case "data.eval_path":
			list = append(list, PathFlags("--eval-data", q.EvalData)...)
		case "data.val_fraction":
			list = append(list, "--val-fraction", value)
		case "data.exif_transpose":
			list = append(list, map[string]string{"true": "--exif-transpose", "false": "--no-exif-transpose"}[value])
		case "pretrain.target":
			kind, _ := target.Find(value) // the rules have such that there are
			list = append(list, "--method", kind.Method)
		case "pretrain.tokenizer":
			list = append(list, "--tokenizer", InPlace(value))
		case "init_from":
			list = append(list, "--init-from", InPlace(value))
		default:
			list = append(list, "--set", s)
		}
	}
	return list
}

// PathFlags is a flag for every path.
func PathFlags(flag string, paths config.Paths) (list []string) {
	for _, path := range paths.List() {
		list = append(list, flag, InPlace(path))
	}
	return list
}

// InPlace is a path that no command takes for a flag.
func InPlace(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}

// bare is an argument that a shell takes as it is, and bareOnWindows one that those of Windows do.
var (
	bare          = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)
	bareOnWindows = regexp.MustCompile(`^[A-Za-z0-9_./\\:=+~-]+$`)
)

// quoted is an argument as a POSIX shell reads it.
func quoted(arg string) string {
	if bare.MatchString(arg) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// quotedOnWindows is an argument as cmd.exe and PowerShell read it: single quotes are none for the first. A backslash at the end would take the quote after
// it for a character, as it does with those within.
func quotedOnWindows(arg string) string {
	if bareOnWindows.MatchString(arg) {
		return arg
	}
	arg = strings.ReplaceAll(arg, `"`, `\"`)
	if strings.HasSuffix(arg, `\`) {
		arg += `\`
	}
	return `"` + arg + `"`
}

// script is a shell script in the making.
type script struct{ bytes.Buffer }

// comment adds a line that a shell does not obey, whatever it holds.
func (s *script) comment(format string, args ...any) {
	s.WriteString("# " + plain.Text(fmt.Sprintf(format, args...)) + "\n")
}

// command adds a command.
func (s *script) command(args []string) { s.WriteString(line(args, quoted) + "\n") }

// ShellLine is a command as a shell of this system reads it: the program and its arguments.
func ShellLine(args []string) string {
	if runtime.GOOS == "windows" {
		return line(args, quotedOnWindows)
	}
	return line(args, quoted)
}

// line is a command of quoted words.
func line(args []string, quote func(arg string) string) string {
	var words []string
	for _, arg := range args {
		words = append(words, quote(arg))
	}
	return strings.Join(words, " ")
}

// Script writes a recipe as a shell script: what it does as comments, and the commands.
func (r *Recipe) Script(w io.Writer) error {
	var s script
	if err := r.explain(&s); err != nil {
		return err
	}
	s.WriteString("set -e\n")
	for i, p := range r.Runs {
		s.WriteByte('\n')
		s.comment("%s: %d epochs of %d steps, about %s", p.Method, p.Epochs, p.EpochSteps, spell(p.Seconds))
		s.command(r.Commands[i])
	}
	s.WriteByte('\n')
	if r.labelled() {
		s.comment("What the backbone's features and the classifier are worth on the validation images, about %s", spell(r.Measuring))
	} else {
		s.comment("Without labels nothing is probed: the figures are in %s. 'beit embed' and 'beit similar' use the backbone.",
			filepath.Join(r.Runs[1].Folder, run.ReportFile))
	}
	for _, command := range r.Commands[len(r.Runs):] {
		s.command(command)
	}
	_, err := w.Write(s.Bytes())
	return err
}

// explain adds what comes before the commands.
func (r *Recipe) explain(s *script) error {
	s.WriteString("#!/bin/sh\n")
	s.comment("Photographs of everyday things? Start from published weights in place of this: 'beit pull' lists them.")
	s.WriteString("#\n")
	for _, line := range r.found() {
		s.comment("%s", line)
	}
	s.WriteString("#\n")
	table, err := r.table()
	if err != nil {
		return err
	}
	for _, line := range table {
		s.comment("%s", line)
	}
	s.WriteString("#\n")
	s.comment("Run it with sh, or paste its commands one by one. %s must be on the PATH.", program)
	s.comment("^C stops a run after its step, and it says how to go on. Speeds are those of just now, beside all else that this machine does.")
	return nil
}

// found says what the plan is made for, and why it is this one.
func (r *Recipe) found() []string {
	images := fmt.Sprintf("images: %d for training, %d for validation", r.Images, r.Validation)
	if r.ValFraction > 0 {
		images += fmt.Sprintf(", which --val-fraction %s sets aside", number(r.ValFraction))
	}
	labels := fmt.Sprintf("labels: %d classes", r.Classes)
	if !r.labelled() {
		labels = "labels: none to learn: " + r.Unlabelled
	}
	list := []string{
		images, labels, fmt.Sprintf("shorter sides: %d pixels, the median", r.ShortSide),
		fmt.Sprintf("processor: %s; device %s, %d threads", r.Processor, r.Device, r.Threads),
		fmt.Sprintf("precision: %s, the faster one on this device", r.Precision),
	}
	for _, u := range r.Larger {
		list = append(list, fmt.Sprintf("%s would suit these images, and needs %s", u.Preset, spell(u.Seconds)))
	}
	codes := fmt.Sprintf("preset: %s with %d codes", r.Preset, r.Codes)
	if r.few() {
		codes += fmt.Sprintf(", for there are fewer than %d images", recipeRules.fewImages)
	}
	return append(list, codes)
}

// table are the lines of a table of the runs.
func (r *Recipe) table() ([]string, error) {
	var t Table
	t.Add("run", "images", "epochs", "steps", "operations", "images/s", "time")
	for _, p := range r.Runs {
		t.Add(p.Method, fmt.Sprint(p.Images), fmt.Sprint(p.Epochs), fmt.Sprint(p.Steps), fmt.Sprintf("%.2g", p.FLOPs), fmt.Sprintf("%.0f", p.ImagesPerSecond), spell(p.Seconds))
	}
	if r.labelled() {
		t.Add("probe, eval", "", "", "", "", "", spell(r.Measuring))
	}
	t.Add("all", "", "", "", "", "", spell(r.Seconds))
	var text bytes.Buffer
	err := t.Print(&text)
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n"), err
}
