package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/cpu"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Golden tests pin the bytes that short runs of all stages end with, so that code can be moved without a change of what it computes.
//
// Whoever changes arithmetic updates one golden in its own commit, with the reason: go test ./beit/train -run Golden -update.
//
// In testdata/golden, STAGE.toml is a whole configuration and STAGE.names lists the parameters in the order of their declaration. The
// images were drawn by a program, once. hashes.json has hashes by case, CPU level and kind:
//
//	model    the tensors of the finished model
//	state    the tensors of the last checkpoint that are no part of a model: moments, moving averages, windows
//	metrics  the values of all records, whatever their names
//	resumed  the tensors of the finished model after resuming runs/STAGE
//
// The folders in runs are what commit d1880e9 left at level generic when it was interrupted after step 7. They are never made anew:
// runs begun then must go on. tokenizer.safetensors is the model that pretraining learned from, of the same commit and level. The
// folders have the configurations of STAGE.toml, so model and resumed agree at level generic.
var update = flag.Bool("update", false, "rewrite testdata/golden/hashes.json and testdata/golden/*.names")

const (
	goldenDir  = "testdata/golden"
	hashesFile = goldenDir + "/hashes.json"
)

// Environment of the processes that golden tests start, since a process has one CPU level.
const (
	goldenOut = "BEIT_GOLDEN_OUT" // where the process writes its hashes
	goldenWay = "BEIT_GOLDEN_WAY" // how it trains: wayWhole or wayResumed
)

const (
	wayWhole   = "whole"   // without a stop
	wayResumed = "resumed" // interrupted after step goldenStop
)

const goldenStop = 7

// goldenHashes are hashes by case and kind.
type goldenHashes map[string]map[string]string

// goldenCase is a run whose result is pinned.
type goldenCase struct {
	name  string
	stage string
	set   []string // assignments
	key   string   // of the finished model that it needs; empty: none
	from  string   // the earlier case whose model that is
}

var goldenCases = []goldenCase{
	{name: "tokenizer", stage: "tokenizer"},
	{name: "pretrain", stage: "pretrain", key: "pretrain.tokenizer", from: "tokenizer"},
	{name: "teacher", stage: "teacher"},
	{name: "finetune", stage: "finetune"},
	{name: "tokenizer of teacher", stage: "tokenizer", set: []string{"tokenizer.teacher=run"}, key: "tokenizer.teacher_run", from: "teacher"},
	{name: "pretrain of features", stage: "pretrain", set: []string{"pretrain.target=features"}, key: "pretrain.tokenizer", from: "tokenizer"},
	{name: "pretrain of shuffled codes", stage: "pretrain", set: []string{"pretrain.shuffle_codes=true"}, key: "pretrain.tokenizer", from: "tokenizer"},
	{name: "finetune of pretrain", stage: "finetune", set: []string{ // by plain labels and without a moving average
		"finetune.mixup=0", "finetune.cutmix=0", "finetune.ema=0", "finetune.rand_magnitude=0",
	}, key: "init_from", from: "pretrain"},
	{name: "tokenizer reseeded", stage: "tokenizer", set: []string{ // after step 200 of 280, the first where codes are replaced
		"train.batch=2", "train.accum=1", "train.epochs=14", "log.checkpoint=0", "log.eval_every=14",
	}},
}

// goldenStages are the cases that have a run folder in testdata, one of each stage.
func goldenStages() []goldenCase { return goldenCases[:4] }

// assignments completes STAGE.toml by what depends on the place of files. source is the model that the case needs.
func (c goldenCase) assignments(t *testing.T, source string) []string {
	set := append(slices.Clone(c.set), "log.knn_every=0") // which has no part in what is trained, as the kinds model and state show
	if c.stage != "tokenizer" {                           // that one draws its images
		set = append(set, "data.path="+goldenFile(t, "images"))
	}
	if c.key != "" {
		set = append(set, c.key+"="+source)
	}
	return set
}

// Runs end with the golden bytes, whether they are interrupted or not, on one thread and on three.
func TestGoldenEveryCPULevel(t *testing.T) {
	if way := os.Getenv(goldenWay); way != "" {
		tellGolden(t, trainGolden(t, way))
		return
	}
	if testing.Short() {
		t.Skip("-short: trains many models")
	}
	for _, level := range goldenLevels(t) {
		for _, c := range []struct{ way, threads string }{{wayWhole, "1"}, {wayResumed, "3"}} {
			t.Run(level+" "+c.way, func(t *testing.T) {
				got := askGolden(t, "BEIT_CPU="+level, "GOMAXPROCS="+c.threads, goldenWay+"="+c.way)
				if *update && c.way == wayWhole {
					putGolden(t, level, got)
				}
				checkGolden(t, level, got)
			})
		}
	}
}

// Runs that were begun with commit d1880e9 go on to the golden bytes.
func TestGoldenResume(t *testing.T) {
	if os.Getenv(goldenOut) != "" {
		tellGolden(t, resumeGolden(t))
		return
	}
	for _, level := range goldenLevels(t) {
		t.Run(level, func(t *testing.T) {
			got := askGolden(t, "BEIT_CPU="+level)
			if *update {
				putGolden(t, level, got)
			}
			checkGolden(t, level, got)
		})
	}
}

// Parameters are declared in the golden order: the optimizer's moments are one tensor that is laid out so.
func TestGoldenNames(t *testing.T) {
	for _, c := range goldenStages() {
		file := filepath.Join(goldenDir, c.stage+".names")
		got := goldenParams(t, c.stage, c.assignments(t, goldenFile(t, c.from+".safetensors")))
		if *update {
			writeGolden(t, file, []byte(strings.Join(got, "\n")+"\n"))
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.Fields(string(want)), got); d != "" {
			t.Errorf("%s: parameters (-want +got):\n%s", c.stage, d)
		}
	}
}

// goldenLevels lists the CPU levels that have golden values and that this machine can run.
func goldenLevels(t *testing.T) []string {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("golden values are those of amd64: elsewhere functions of package math and fused multiply-adds round otherwise")
	}
	if fusesMultiplyAdd(1+0x1p-30, 1-0x1p-30, -1) {
		t.Skip("golden values are those of GOAMD64=v1 and v2: the compiler of this build fuses multiply-adds, which round otherwise")
	}
	if !cpu.X86.HasAVX || !cpu.X86.HasFMA {
		t.Skip("golden values are those of processors with FMA: without it math.Exp rounds otherwise")
	}
	levels := []string{"generic", "avx2"}
	if *update {
		return levels // a machine that lacks one cannot update
	}
	return slices.DeleteFunc(levels, func(level string) bool { return !slices.Contains(tensor.CPULevels(), level) })
}

// fusesMultiplyAdd says whether the compiler rounds x*y+z once, for numbers where that makes a difference.
//
//go:noinline
func fusesMultiplyAdd(x, y, z float64) bool { return x*y+z != float64(x*y)+z }

// trainGolden trains all cases in this process.
func trainGolden(t *testing.T, way string) goldenHashes {
	all, models := goldenHashes{}, map[string]string{}
	for _, c := range goldenCases {
		dir := filepath.Join(t.TempDir(), "run")
		set := c.assignments(t, models[c.from])
		if way == wayWhole {
			goldenBegin(t, dir, c.stage, set, 0)
		} else {
			goldenBegin(t, dir, c.stage, set, goldenStop)
			goldenGoOn(t, dir, nil)
		}
		list, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d checkpoints, error %v", c.name, len(list), err)
		}
		models[c.name] = goldenModel(t, dir, c.stage)
		all[c.name] = map[string]string{
			"model":   hashTensors(t, models[c.name], ""),
			"state":   hashTensors(t, slices.Max(list), "train."),
			"metrics": hashRecords(goldenRecords(t, dir)),
		}
	}
	return all
}

// resumeGolden goes on with copies of the run folders in testdata.
func resumeGolden(t *testing.T) goldenHashes {
	all := goldenHashes{}
	for _, c := range goldenStages() {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(goldenDir, "runs", c.stage))); err != nil {
			t.Fatal(err)
		}
		goldenGoOn(t, dir, c.assignments(t, goldenFile(t, c.from+".safetensors")))
		all[c.name] = map[string]string{"resumed": hashTensors(t, goldenModel(t, dir, c.stage), "")}
	}
	return all
}

// goldenFile is the absolute path of a file of testdata/golden.
func goldenFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(goldenDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// askGolden runs the test anew in a process of its own, with more environment, and returns the hashes that it found.
func askGolden(t *testing.T, env ...string) goldenHashes {
	t.Helper()
	out := filepath.Join(t.TempDir(), "hashes.json")
	test, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(append(os.Environ(), goldenOut+"="+out), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", env, err, text)
	}
	var got goldenHashes
	readGolden(t, out, &got)
	return got
}

// tellGolden hands hashes to the process that asked for them.
func tellGolden(t *testing.T, got goldenHashes) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	writeGolden(t, os.Getenv(goldenOut), text)
}

// checkGolden compares hashes with those of hashes.json.
func checkGolden(t *testing.T, level string, got goldenHashes) {
	t.Helper()
	all := map[string]goldenHashes{} // by case, then by level
	readGolden(t, hashesFile, &all)
	for c, kinds := range got {
		for kind, hash := range kinds {
			if want := all[c][level][kind]; hash != want {
				t.Errorf("%s: %s has hash %s, want %s", c, kind, hash, want)
			}
		}
	}
}

// putGolden writes hashes into hashes.json.
func putGolden(t *testing.T, level string, got goldenHashes) {
	t.Helper()
	all := map[string]goldenHashes{}
	readGolden(t, hashesFile, &all)
	for c, kinds := range got {
		if all[c] == nil {
			all[c] = goldenHashes{}
		}
		if all[c][level] == nil {
			all[c][level] = map[string]string{}
		}
		maps.Copy(all[c][level], kinds)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	writeGolden(t, hashesFile, append(text, '\n'))
}

func readGolden(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeGolden(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// hashTensors is SHA-256 over names, shapes and little-endian values of the tensors of a safetensors file whose names begin with prefix,
// in the order of names. Metadata and the layout of the file have no part in it.
func hashTensors(t *testing.T, path, prefix string) string {
	t.Helper()
	f, err := state.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, n := sha256.New(), 0
	for _, name := range slices.Sorted(slices.Values(f.Names())) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		e, _ := f.Entry(name)
		fmt.Fprintf(h, "%s %v\n", name, e.Shape)
		r, err := f.Reader(name)
		if err == nil {
			_, err = io.Copy(h, r)
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n == 0 {
		t.Fatalf("%s: no tensor to hash", path)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashRecords is SHA-256 over records, each a list of numbers. These are sorted, since a metric may get another name.
func hashRecords(records [][]float64) string {
	h := sha256.New()
	for _, values := range records {
		fmt.Fprintln(h, slices.Sorted(slices.Values(values)))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The functions below are all of this file that knows how a run is configured, begun and resumed.

// goldenMethod is the method of a stage, by its former name too.
func goldenMethod(t *testing.T, stage string) *method.Method {
	t.Helper()
	name, err := config.MethodOf("stage = \"" + stage + "\"")
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Methods().Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// goldenConfig is the configuration in STAGE.toml with assignments.
func goldenConfig(t *testing.T, stage string, set []string) *config.Config {
	t.Helper()
	cfg, start, err := goldenMethod(t, stage).Configure("", filepath.Join(goldenDir, stage+".toml"), set, model.Opener())
	if err != nil {
		t.Fatal(err)
	}
	if start != nil {
		start.Close()
	}
	return cfg
}

// goldenBegin trains a stage in the new folder dir, interrupted after step stop unless that is 0.
func goldenBegin(t *testing.T, dir, stage string, set []string, stop int) {
	t.Helper()
	m, cfg := goldenMethod(t, stage), goldenConfig(t, stage, set)
	if stop > 0 {
		stopped(t, "train", stop, func(ctx context.Context, env Env) error {
			_, err := Run(ctx, dir, m, cfg, env)
			return err
		})
		return
	}
	if _, err := Run(t.Context(), dir, m, cfg, Env{Open: model.Opener()}); err != nil {
		t.Fatal(err)
	}
}

// goldenGoOn resumes the run in dir and trains it to its end.
func goldenGoOn(t *testing.T, dir string, set []string) {
	t.Helper()
	if _, err := Resume(t.Context(), dir, model.Methods(), Env{Open: model.Opener()}, set); err != nil {
		t.Fatal(err)
	}
}

// goldenModel is the path of the finished model of the run in dir.
func goldenModel(t *testing.T, dir, stage string) string {
	return filepath.Join(dir, goldenMethod(t, stage).ModelFile)
}

// goldenRecords lists the values in the metrics of the run in dir that do not depend on the machine, record by record.
func goldenRecords(t *testing.T, dir string) [][]float64 {
	t.Helper()
	records, err := run.ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]float64
	for _, r := range records {
		values := slices.Collect(maps.Values(r.Stable().Values))
		list = append(list, append(values, float64(r.Epoch), float64(r.Step)))
	}
	return list
}

// goldenParams lists the names of a stage's parameters and buffers in the order of their declaration.
func goldenParams(t *testing.T, stage string, set []string) []string {
	t.Helper()
	l, err := newLoop(t.Context(), t.TempDir(), goldenMethod(t, stage), goldenConfig(t, stage, set), Env{Open: model.Opener()}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	return names(l.task.Set().Params())
}
