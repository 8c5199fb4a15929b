package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// A damaged bit in any file of a run is told, or makes no difference. Not looked at are report.html and TensorBoard's files, which nothing here
// reads. BEIT_FLIPS is the number of flipped bits.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	flips := 200
	if testing.Short() {
		flips = 40
	}
	if text := os.Getenv("BEIT_FLIPS"); text != "" {
		var err error
		if flips, err = strconv.Atoi(text); err != nil {
			t.Fatalf("BEIT_FLIPS: %v", err)
		}
	}
	targets := append(flipFinished(t), flipMiddle(t)...)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	told := map[string]int{}
	for i := range flips {
		target := targets[i%len(targets)]
		at := target.choose(random)
		kind := target.flip(t, at, byte(1)<<random.IntN(8))
		told[kind]++
	}
	t.Logf("%d bits in %d files: %v", flips, len(targets), told)
}

// flipTarget is a file in which bits are flipped.
type flipTarget struct {
	file    string
	content []byte
	readers []*reader
}

// reader looks at files of a run.
type reader struct {
	name   string
	run    func(t *testing.T) outcome
	intact *outcome // for intact files; nil: not looked yet
}

// want is what the reader finds while all files are intact.
func (r *reader) want(t *testing.T) outcome {
	t.Helper()
	if r.intact == nil {
		o := r.run(t)
		if o.status != statusOK || strings.Contains(o.messages, "warning") {
			t.Fatalf("%s: intact files: status %d, %q", r.name, o.status, o.messages)
		}
		r.intact = &o
	}
	return *r.intact
}

// outcome is what a reader found.
type outcome struct {
	status   int
	result   string
	messages string
}

// choose returns the place of a byte: of tensors' files half the time in the header.
func (f *flipTarget) choose(random *rand.Rand) int {
	if strings.HasSuffix(f.file, ".safetensors") && random.IntN(2) == 0 {
		return random.IntN(8 + int(binary.LittleEndian.Uint64(f.content)))
	}
	return random.IntN(len(f.content))
}

// flip changes a byte, asks all readers and changes it back. It says how the damage was told by the first reader that told it.
func (f *flipTarget) flip(t *testing.T, at int, bits byte) (kind string) {
	t.Helper()
	for _, r := range f.readers {
		r.want(t)
	}
	damaged := bytes.Clone(f.content)
	damaged[at] ^= bits
	writeFile(t, f.file, damaged)
	defer writeFile(t, f.file, f.content)
	kind = "without effect"
	for _, r := range f.readers {
		o, found := r.run(t), ""
		switch {
		case o.status != statusOK:
			found = "error"
			if o.status != statusFailure || strings.Contains(o.messages, "internal error") {
				t.Errorf("%s, byte %d, bits %#x: %s: status %d, %q", f.file, at, bits, r.name, o.status, o.messages)
			}
		case strings.Contains(o.messages, "warning"):
			found = "warning"
		case o.result != r.want(t).result:
			t.Errorf("%s, byte %d, bits %#x: %s finds no fault, and gives another result, %s", f.file, at, bits, r.name, difference(r.want(t).result, o.result))
			found = "unseen"
		}
		if kind == "without effect" && found != "" {
			kind = found
		}
	}
	return kind
}

// difference shows where two texts begin to differ.
func difference(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	part := func(s string) string { return s[max(0, n-40):min(len(s), n+40)] }
	return fmt.Sprintf("%q in place of %q", part(b), part(a))
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// markup is a file's name that reads as HTML, by the signs that the system has for names.
func markup(name string) string {
	if runtime.GOOS == "windows" {
		return "&lt;b&gt;" + name
	}
	return "<b>" + name
}

// command is a reader that carries out a command line.
func command(args ...string) *reader {
	return &reader{name: strings.Join(args[:min(2, len(args))], " "), run: func(t *testing.T) outcome {
		status, out, errOut := beitRun(t, args...)
		return outcome{status, out, errOut}
	}}
}

// targetsIn are the files of a run folder, each with readers.
func targetsIn(t *testing.T, dir string, readers ...*reader) (list []*flipTarget) {
	t.Helper()
	for _, pattern := range []string{run.ConfigFile, run.MetricsFile, run.StatusFile, filepath.Join(run.CheckpointDir, "*.safetensors")} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no %s, error %v", dir, pattern, err)
		}
		for _, name := range names {
			list = append(list, &flipTarget{file: name, content: readFile(t, name), readers: readers})
		}
	}
	return list
}

// flipFinished are the files of finished runs, and of models that were converted.
func flipFinished(t *testing.T) (list []*flipTarget) {
	images := t.TempDir()
	writeImages(t, images, map[string]int{"val": 20})
	val := filepath.Join(images, "val")
	r := trainedRuns(t)
	for _, c := range []struct {
		of    *method.Method
		files []string
		use   func(model string) *reader
	}{
		{dino.Method, []string{"teacher.safetensors"}, func(m string) *reader { return command("embed", m, val) }},
		{tokenizer.Method, []string{"tokenizer.safetensors"}, func(m string) *reader { return command("tokenizer", "encode", m, "--data", val) }},
		{pretrain.Method, []string{"backbone.safetensors"}, func(m string) *reader { return command("embed", m, val) }},
		{cae.Method, []string{"context.safetensors"}, func(m string) *reader { return command("embed", m, val) }},
		{splitmask.Method, []string{"halves.safetensors"}, func(m string) *reader { return command("embed", m, val) }},
		{mae.Method, []string{"autoencoder.safetensors"}, func(m string) *reader { return command("embed", m, val) }},
		{finetune.Method, []string{"classifier.safetensors", "best.safetensors"}, func(m string) *reader { return command("predict", m, val, "--json") }},
	} {
		dir := copyOf(t, r.of(c.of))
		list = append(list, targetsIn(t, dir, command("inspect", dir, "--json"), c.use(dir), continued(dir, c.of))...)
		for _, name := range c.files {
			file := filepath.Join(dir, name)
			list = append(list, &flipTarget{file: file, content: readFile(t, file), readers: []*reader{c.use(file), command("inspect", file, "--json")}})
		}
	}
	timm := filepath.Join(t.TempDir(), "beitv2_timm.safetensors") // version 1 would be warned of
	mustRun(t, "convert", filepath.Join(r.classifier, "classifier.safetensors"), timm, "--to", "timm")
	return append(list, &flipTarget{file: timm, content: readFile(t, timm), readers: []*reader{command("predict", timm, val, "--json"), command("inspect", timm, "--json")}})
}

// flipMiddle are the files of runs that were interrupted in the middle of an epoch. They are continued, and used as they are.
func flipMiddle(t *testing.T) (list []*flipTarget) {
	images := t.TempDir()
	writeImages(t, images, map[string]int{"val": 20})
	val := filepath.Join(images, "val")
	r := trainedRuns(t)
	for _, m := range model.Methods() {
		dir := interruptedRun(t, m, r)
		use := command("embed", dir, val)
		switch m.Name {
		case "tokenizer":
			use = command("tokenizer", "encode", dir, "--data", val)
		case "finetune":
			use = command("predict", dir, val, "--json")
		case "segment":
			use = command("segment", "eval", dir, "--json")
		}
		list = append(list, targetsIn(t, dir, continued(dir, m), use, command("inspect", dir, "--json"))...)
	}
	return list
}

// interruptedRun is the run of a method like the shared one, which ended at step 5 of 6.
func interruptedRun(t *testing.T, m *method.Method, r trained) string {
	t.Helper()
	_, cfg, err := model.ReadConfig(r.of(m))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Log.Every, cfg.Log.Keep = 1, 2
	dir := filepath.Join(t.TempDir(), m.Name)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = train.Run(ctx, dir, m, cfg, train.Env{Open: model.Opener(), Reporter: &atStep{newReporter(&bytes.Buffer{}), 5, cancel}})
	if list, _ := run.Checkpoints(dir); err == nil || len(list) != 2 || run.StepOf(list[1]) != 5 {
		t.Fatalf("%s: checkpoints %q, error %v", m.Name, list, err)
	}
	return dir
}

// atStep interrupts a run.
type atStep struct {
	*reporter
	step   int
	cancel func()
}

func (a *atStep) Record(r run.Record) {
	if r.Step == a.step {
		a.cancel()
	}
}

// continued is a reader that continues a copy of a run. The result is the finished model with the records, timing aside.
func continued(dir string, m *method.Method) *reader {
	return &reader{name: "continuing the run", run: func(t *testing.T) outcome {
		to, err := os.MkdirTemp("", "continued")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(to)
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(to, m.ModelFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		var messages bytes.Buffer
		reporter := newReporter(&messages)
		if _, err := train.Resume(t.Context(), to, model.Methods(), train.Env{Open: model.Opener(), Reporter: reporter}, nil); err != nil {
			return outcome{statusFailure, "", err.Error()}
		}
		var result strings.Builder
		result.Write(readFile(t, filepath.Join(to, m.ModelFile)))
		records, err := run.ReadMetrics(to)
		if err != nil {
			t.Errorf("records after a continued run: %v", err)
		}
		for _, r := range records {
			r = r.Stable()
			fmt.Fprintln(&result, r.Kind, r.Epoch, r.Step)
			for _, key := range slices.Sorted(maps.Keys(r.Values)) {
				fmt.Fprintln(&result, key, r.Values[key])
			}
		}
		return outcome{statusOK, result.String(), messages.String()}
	}}
}
