package experiment

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// RecipeRequest says what a recipe is wanted for.
type RecipeRequest struct {
	Data, EvalData config.Paths
	ValFraction    float64 // 0: a part is set aside where there are no validation images
	ExifTranspose  *bool   // nil: as the presets do
	Out            string  // folder for the runs
	Time           time.Duration
	Flags          []string // that every command has before its name
}

// PlanRecipe plans runs on somebody's images that take the time given together. What they take is measured on this machine, in a temporary folder.
func PlanRecipe(ctx context.Context, e Env, q RecipeRequest) (*Recipe, error) {
	for _, one := range recipeRules.runs {
		if dir := filepath.Join(q.Out, one.folder); run.Exists(dir) {
			return nil, wrong("%s: already holds a run: choose another folder with --out", dir)
		}
	}
	r, err := q.look(e)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "beit-recipe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	preset, prices, larger, err := choosePreset(r.ShortSide, r.labelled(), q.Time.Seconds(), func(preset string) (recipePrices, error) {
		e.reporter().Notice("measuring the speed of preset " + preset)
		return recipeMeter{ctx, e, q, r, preset, filepath.Join(temp, preset)}.prices()
	})
	if ctx.Err() != nil { // not what a run says, which could be resumed if its folder stayed
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	r.Preset, r.Larger = preset, larger
	if r.Codes = tokenizer.SectionOf(tokenizer.Method.Preset(preset)).Model.Codes; r.few() {
		r.Codes = recipeRules.fewCodes
	}
	r.fill(prices, q.Time.Seconds())
	return r, q.commands(r)
}

// look finds out what the images and the device are.
func (q RecipeRequest) look(e Env) (*Recipe, error) {
	valFraction := cmp.Or(q.ValFraction, recipeRules.valFraction)
	cfg, err := config.Configure(tokenizer.Method.Spec, recipeRules.presets[0].name, "", q.images(valFraction), nil)
	if err != nil {
		return nil, SettingError{err}
	}
	images, err := method.OpenImages(cfg, tokenizer.Method.ImageSize(cfg), nil)
	if err != nil {
		return nil, err
	}
	defer images.Close()
	images.Tell(e.reporter())
	r := &Recipe{
		Images: images.Train.Len(), Validation: images.Val.Len(), Classes: len(images.Train.Classes()),
		Processor: tensor.Processor(), Device: e.device().Name(), Threads: tensor.Threads(),
		Precision: e.device().FastPrecision().String(),
	}
	if images.Split {
		r.ValFraction = valFraction
	}
	switch {
	case r.Classes == 0:
		r.Unlabelled = data.WhyUnlabelled(images.Train)
	case r.Classes == 1:
		r.Unlabelled = "there is one class"
	case len(images.Val.Classes()) == 0:
		r.Unlabelled = "the validation images have none: " + data.WhyUnlabelled(images.Val)
	}
	if r.Unlabelled != "" {
		r.Classes = 0
	}
	r.ShortSide, err = images.ShortSide()
	return r, err
}

// images are the assignments that name the images.
func (q RecipeRequest) images(valFraction float64) []string {
	list := []string{"data.path=" + q.Data.Assignment()}
	if q.EvalData != "" {
		list = append(list, "data.eval_path="+q.EvalData.Assignment())
	}
	if valFraction != 0 {
		list = append(list, "data.val_fraction="+number(valFraction))
	}
	if q.ExifTranspose != nil {
		list = append(list, "data.exif_transpose="+strconv.FormatBool(*q.ExifTranspose))
	}
	return list
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// settings are the assignments of a run beside those of images. tok and backbone are the folders of the runs before it.
func (r *Recipe) settings(of recipeRun, tok, backbone string) []string {
	list := of.set[:len(of.set):len(of.set)]
	if of.method == tokenizer.Method && r.few() {
		list = append(list, fmt.Sprintf("tokenizer.model.codes=%d", recipeRules.fewCodes))
	}
	return append(list, Entry{}.follow(of.method, tok, backbone)...)
}

// recipeMeter measures a preset in a folder of its own.
type recipeMeter struct {
	ctx    context.Context
	e      Env
	q      RecipeRequest
	r      *Recipe
	preset string
	dir    string
}

// meterTokenizer makes a tokenizer of the right shape in a moment: it learns nothing in its one step.
var meterTokenizer = []string{
	"data.limit=8", "data.eval.limit=1", "train.batch=8", "train.accumulation_steps=1", "train.epochs=1", "train.epoch_steps=0", "tokenizer.kmeans_tokens=0",
}

// meterBatch is how many images are computed at once while a run is measured: large batches of large presets would take minutes.
const meterBatch = 64

// prices measures the runs, and how long measuring the finished models will take. Every run starts from the same tokenizer.
func (m recipeMeter) prices() (p recipePrices, err error) {
	tok := filepath.Join(m.dir, "start")
	for i, one := range recipeRunsOf(m.r.labelled()) {
		set := slices.Concat(m.q.images(m.r.ValFraction), m.r.settings(one, tok, tok), []string{
			fmt.Sprintf("train.accumulation_steps=%d", max(1, one.method.Preset(m.preset).Train.Batch/meterBatch)), fmt.Sprintf("data.eval.batch=%d", meterBatch),
		})
		if i == 0 {
			if err := m.start(tok, slices.Concat(set, meterTokenizer)); err != nil {
				return p, err
			}
			set = append(set, "init_from="+tok)
		}
		price, err := m.measure(one, set)
		if err != nil {
			return p, err
		}
		p.runs = append(p.runs, price)
	}
	if m.r.labelled() {
		p.measuring, err = m.measuring(p.runs[len(p.runs)-1])
	}
	return p, err
}

// start trains the tokenizer that all runs start from.
func (m recipeMeter) start(dir string, set []string) error {
	cfg, _, err := tokenizer.Method.Configure(m.preset, "", set, m.e.open())
	if err != nil {
		return err
	}
	_, err = train.Run(m.ctx, dir, tokenizer.Method, cfg, m.env(nil))
	return err
}

// measure measures a run.
func (m recipeMeter) measure(one recipeRun, set []string) (p runPrice, err error) {
	cfg, start, err := one.method.Configure(m.preset, "", set, m.e.open())
	if err != nil {
		return p, err
	}
	if start != nil {
		defer start.Close()
	}
	if p.Measured, err = train.Measure(m.ctx, filepath.Join(m.dir, one.folder), one.method, cfg, m.env(start)); err != nil {
		return p, err
	}
	if one.method == tokenizer.Method {
		p.preparation = float64(tokenizer.PreparationImages(cfg, p.Train)) * p.Validation / float64(p.Val)
	}
	return p, nil
}

// env shows how far a measurement is, and nothing else: what runs say is said when they are trained.
func (m recipeMeter) env(start *method.Model) train.Env {
	return train.Env{Device: m.e.Device, Reporter: progressOnly{m.e.reporter()}, Open: m.e.open(), Start: start}
}

// progressOnly keeps all but progress from a reporter.
type progressOnly struct{ train.Reporter }

func (progressOnly) Notice(string)      {}
func (progressOnly) Warning(string)     {}
func (progressOnly) Record(run.Record)  {}
func (progressOnly) Epoch(method.Epoch) {}

// Of the probe of a recipe: the kinds of features, of two networks by two poolings, of pixels and of the teacher; and how many rows are timed.
const (
	recipeFeatures = 6
	probedRows     = 2560
)

// measuring is how long it takes to probe a backbone and to measure a classifier of its size. The features are those of two networks; the
// classifiers of a probe are timed by an epoch of one.
func (m recipeMeter) measuring(classifier runPrice) (float64, error) {
	rows := probe.Features{Name: "timed", Dim: pretrain.SectionOf(pretrain.Method.Preset(m.preset)).Model.ViT.Width, Classes: m.r.Classes}
	for i := range probedRows {
		rows.Labels = append(rows.Labels, int32(i%rows.Classes))
		for k := range rows.Dim {
			rows.X = append(rows.X, float32((i+k)%rows.Dim))
		}
	}
	one := rows
	one.X, one.Labels = rows.X[:rows.Dim], rows.Labels[:1]
	c := probe.LinearDefaults
	epochs := c.Epochs * c.Seeds * recipeFeatures
	c.Epochs, c.Seeds = 1, 1
	began := time.Now()
	if _, err := probe.Linear(m.ctx, m.e.device(), rows, one, c); err != nil {
		return 0, err
	}
	image := classifier.Validation / float64(classifier.Val)
	return float64(epochs)*time.Since(began).Seconds()*float64(classifier.Train)/probedRows +
		2*image*float64(classifier.Train+classifier.Val) + classifier.Validation, nil
}
