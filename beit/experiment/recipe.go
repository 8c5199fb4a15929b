package experiment

import (
	"math"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// recipeRules is what a recipe is made by.
var recipeRules = struct {
	presets     []recipePreset // from small to large
	runs        []recipeRun    // in their order
	fewImages   int            // with fewer training images
	fewCodes    int            // the codebook has so many codes
	valFraction float64        // of the images, set aside for validation where there are none
}{
	presets: []recipePreset{{"tiny32", 0}, {"mini32", 0}, {"small32", 48}, {"small64", 96}, {"small128", math.MaxInt}},
	runs: []recipeRun{
		{method: tokenizer.Method, folder: "tokenizer", share: 0.25, unlabelled: 1.0 / 3, steps: 1000},
		{method: pretrain.Method, folder: "backbone", share: 0.5, unlabelled: 2.0 / 3, steps: 2000, set: []string{"pretrain.target=features"}},
		{method: finetune.Method, folder: "classifier", share: 0.25, steps: 200},
	},
	fewImages: 5000, fewCodes: 256, valFraction: 0.1,
}

// recipePreset is for images whose shorter side has fewer pixels, and for larger ones where the time does not reach for the next preset.
type recipePreset struct {
	name  string
	below int
}

// recipeRun says how a method's run is planned.
type recipeRun struct {
	method     *method.Method
	folder     string   // below that of the recipe
	share      float64  // of the time
	unlabelled float64  // share of the time where images have no labels; 0: there is no such run
	steps      int      // with fewer, a smaller preset is better
	set        []string // assignments
}

// shareOf is the run's share of the time.
func (r recipeRun) shareOf(labelled bool) float64 {
	if labelled {
		return r.share
	}
	return r.unlabelled
}

// recipeRunsOf are the runs for images with or without labels.
func recipeRunsOf(labelled bool) (list []recipeRun) {
	for _, r := range recipeRules.runs {
		if r.shareOf(labelled) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// Recipe is a plan of runs that take a given time together.
type Recipe struct {
	Images      int            `json:"images"` // for training
	Validation  int            `json:"validation_images"`
	ValFraction float64        `json:"val_fraction"`         // 0: the images have a validation part of their own
	Classes     int            `json:"classes"`              // 0: no labels that classes can be learned from
	Unlabelled  string         `json:"unlabelled,omitempty"` // why there are none
	ShortSide   int            `json:"short_side"`           // median, in pixels
	Processor   string         `json:"processor"`
	Device      string         `json:"device"`
	Threads     int            `json:"threads"`
	Precision   string         `json:"precision"` // what the presets' auto is on this device
	Preset      string         `json:"preset"`
	Larger      []Unaffordable `json:"larger_presets,omitempty"` // that suit the images better
	Codes       int            `json:"codes"`
	Runs        []PlannedRun   `json:"runs"`
	Measuring   float64        `json:"measuring_seconds"` // of the finished models
	Seconds     float64        `json:"seconds"`           // of all, as expected
	Time        float64        `json:"time_seconds"`      // as asked for
	Commands    [][]string     `json:"commands"`          // the program and its arguments: first those of the runs
}

// labelled says whether the images have labels to learn.
func (r *Recipe) labelled() bool { return r.Classes > 0 }

// few says whether the images are too few for a large codebook.
func (r *Recipe) few() bool { return r.Images < recipeRules.fewImages }

// fill fills in what the runs are, with prices that the time reaches for.
func (r *Recipe) fill(p recipePrices, seconds float64) {
	r.Time, r.Measuring, r.Seconds = seconds, p.measuring, p.measuring
	r.Runs = p.plan(r.labelled(), seconds)
	for _, one := range r.Runs {
		r.Seconds += one.Seconds
	}
}

// Unaffordable is a preset that would need more time than there is.
type Unaffordable struct {
	Preset  string  `json:"preset"`
	Seconds float64 `json:"needs_seconds"`
}

// PlannedRun is a run of a recipe.
type PlannedRun struct {
	Method          string  `json:"method"`
	Folder          string  `json:"folder"`
	Images          int     `json:"images"`
	Epochs          int     `json:"epochs"`
	EpochSteps      int     `json:"epoch_steps"`
	Steps           int     `json:"steps"`
	Batch           int     `json:"batch"`
	FLOPs           float64 `json:"flops"` // of the steps
	ImagesPerSecond float64 `json:"images_per_second"`
	Seconds         float64 `json:"seconds"`
}

// runPrice is what a run takes that is not trained yet.
type runPrice struct {
	train.Measured
	preparation float64 // seconds before the first step
}

// perEpoch is how many seconds each epoch takes beside its steps.
func (p runPrice) perEpoch() float64 { return p.Validation + p.Checkpoint }

// seconds is how long a run takes.
func (p runPrice) seconds(epochs, steps int) float64 {
	return p.preparation + float64(steps)*p.Step.Seconds + float64(epochs)*p.perEpoch()
}

// least is how long a run of so many steps takes.
func (p runPrice) least(steps int) float64 {
	return p.seconds((steps+p.StepsPerEpoch-1)/p.StepsPerEpoch, steps)
}

// plan is the longest run within so many seconds: of whole epochs, or of one more that are shorter.
func (p runPrice) plan(seconds float64) (epochs, perEpoch int) {
	left := seconds - p.preparation
	all := left / (float64(p.StepsPerEpoch)*p.Step.Seconds + p.perEpoch()) // epochs
	epochs, perEpoch = train.Split((left-math.Ceil(all)*p.perEpoch())/p.Step.Seconds, p.StepsPerEpoch)
	if int(all)*p.StepsPerEpoch > epochs*perEpoch {
		epochs, perEpoch = int(all), p.StepsPerEpoch
	}
	return min(epochs, config.MostOfAny), perEpoch
}

// recipePrices are those of the runs with one preset, and of measuring the finished models.
type recipePrices struct {
	runs      []runPrice
	measuring float64 // seconds
}

// needs is the least number of seconds in which every run has its least number of steps.
func (p recipePrices) needs(labelled bool) float64 {
	training := 0.0
	for i, r := range recipeRunsOf(labelled) {
		training = max(training, p.runs[i].least(r.steps)/r.shareOf(labelled))
	}
	return training + p.measuring
}

// plan splits a number of seconds, which is at least needs.
func (p recipePrices) plan(labelled bool, seconds float64) (list []PlannedRun) {
	for i, r := range recipeRunsOf(labelled) {
		price := p.runs[i]
		epochs, perEpoch := price.plan((seconds - p.measuring) * r.shareOf(labelled))
		steps := epochs * perEpoch
		list = append(list, PlannedRun{
			Method: r.method.Name, Images: price.Train, Epochs: epochs, EpochSteps: perEpoch, Steps: steps, Batch: price.Batch,
			FLOPs: float64(steps) * price.Step.FLOPs, ImagesPerSecond: float64(price.Batch) / price.Step.Seconds, Seconds: price.seconds(epochs, steps),
		})
	}
	return list
}

// choosePreset chooses the preset for images of a size, or the next smaller one that the time reaches for. larger are those before it.
func choosePreset(side int, labelled bool, seconds float64, price func(preset string) (recipePrices, error)) (preset string, p recipePrices, larger []Unaffordable, err error) {
	presets := recipeRules.presets
	at := 0
	for presets[at].below <= side {
		at++
	}
	for ; ; at-- {
		preset = presets[at].name
		if p, err = price(preset); err != nil {
			return "", p, nil, err
		}
		needs := p.needs(labelled)
		if needs <= seconds {
			return preset, p, larger, nil
		}
		if at == 0 {
			return "", p, nil, wrong("--time %s: too little for %d images: the smallest preset, %s, needs %s on this machine, as busy as it is now",
				spell(seconds), p.runs[0].Train, preset, spell(60*math.Ceil(needs/60)))
		}
		larger = append(larger, Unaffordable{preset, needs})
	}
}

// spell writes a number of seconds as flags have it, such as 1h30m.
func spell(seconds float64) string {
	unit := time.Second
	if seconds < 1 {
		unit = time.Millisecond
	}
	text := time.Duration(seconds * float64(time.Second)).Round(unit).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if n := len(text) - len(zero); n > 0 && text[n:] == zero {
			text = text[:n+1]
		}
	}
	return text
}
