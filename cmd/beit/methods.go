package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// tokenizerTrainCmd is "beit tokenizer train".
type tokenizerTrainCmd struct {
	runFlags
	Teacher     string `placeholder:"NAME|RUN" help:"Who teaches: hog, hog-ref, pixels (the image itself), the run folder of a backbone, classifier or tokenizer, the name of a published model, or clip or dino: the published ones unless --teacher-file names another."`
	TeacherFile string `placeholder:"FILE|NAME" help:"Weights of the published CLIP or DINO network, as published or from Hugging Face."`
}

// Run trains a tokenizer.
func (c *tokenizerTrainCmd) Run(a *app) error {
	var extra []string
	switch {
	case c.Teacher == "":
	case slices.Contains(teacherNames(), c.Teacher):
		extra = append(extra, "tokenizer.teacher="+c.Teacher)
	default:
		var err error
		if extra, err = teacherOf(c.Teacher); err != nil {
			return err
		}
	}
	published := publishedTeachers[c.Teacher]
	switch own := c.Resume == "" && c.Config == ""; {
	case own && published != "" && c.TeacherFile == "":
		extra = append(extra, "tokenizer.teacher_file="+published) // which --set may change
	case own && len(c.Set) == 0 && published == "" && c.TeacherFile != "":
		return usagef("--teacher-file %s: say with --teacher clip or --teacher dino which network it is", c.TeacherFile)
	case c.TeacherFile != "":
		extra = append(extra, "tokenizer.teacher_file="+c.TeacherFile)
	}
	return c.run(a, tokenizer.Method, extra...)
}

// publishedTeachers are the published models of the networks that teach by their names.
var publishedTeachers = map[string]string{"clip": "clip-vitb16", "dino": "dino-vitb16"}

// teacherNames are the teachers that --teacher has by their names. The others are models.
func teacherNames() []string {
	kinds := config.Values(tokenizer.Method.Preset(config.DefaultPreset), "tokenizer.teacher")
	return slices.DeleteFunc(kinds, func(kind string) bool { return kind == "run" })
}

// teacherOf are the assignments for a teacher that is a model: a path, or the name of a published one.
func teacherOf(name string) ([]string, error) {
	if _, err := os.Stat(name); err != nil {
		p, err := model.FindPublished(name)
		if err != nil {
			return nil, usagef("--teacher %s: none of %s, and no run folder or model file that exists; %w", name, strings.Join(teacherNames(), ", "), err)
		}
		for teacher, short := range publishedTeachers {
			if short == p.Short {
				return []string{"tokenizer.teacher=" + teacher, "tokenizer.teacher_file=" + short}, nil
			}
		}
	}
	return []string{"tokenizer.teacher=run", "tokenizer.teacher_run=" + name}, nil
}

// pretrainCmd is "beit pretrain".
type pretrainCmd struct {
	runFlags
	Method    string `placeholder:"NAME" help:"What is learned (beit2): ${pretrainings}."`
	Tokenizer string `placeholder:"MODEL" help:"Tokenizer that makes the codes: a run folder, a file, or a published name such as vqkd-clip; dalle-encoder for beit1."`
}

// pretrainingsText lists the names of --method with what they stand for.
func pretrainingsText() string {
	var list []string
	for _, p := range model.Pretrainings() {
		list = append(list, fmt.Sprintf("%s (%s)", p.Name, p.Title))
	}
	return strings.Join(list, ", ")
}

// presetMethod is the --method that a preset of package pretrain is for; that of its default target for all other presets.
func presetMethod(preset string) string {
	if !slices.Contains(pretrain.Method.Presets, preset) {
		return target.Kinds[0].Method
	}
	kind, _ := target.Find(pretrain.SectionOf(pretrain.Method.Preset(preset)).Target)
	return kind.Method
}

// method is the --method that the command line names, itself or by its target; empty for none.
func (c *pretrainCmd) method() string {
	value, _ := c.assigned("pretrain.target")
	kind, _ := target.Find(value)
	return cmp.Or(c.Method, kind.Method)
}

// Run pretrains a backbone.
func (c *pretrainCmd) Run(a *app) error {
	named := c.method()
	p, err := model.FindPretraining(cmp.Or(named, presetMethod(c.Preset)))
	if err != nil {
		return usagef("--method %w", err)
	}
	var extra []string
	if named != "" {
		extra = p.Set
		if c.Resume == "" && c.Config == "" { // both say themselves what goes with it
			extra = slices.Concat(extra, p.Settings)
		}
	}
	key := p.TokenizerKey()
	switch {
	case key == "" && c.Tokenizer != "":
		return usagef("--method %s learns from no tokenizer: leave --tokenizer away", named)
	case c.Tokenizer != "":
		extra = append(extra, key+"="+c.Tokenizer)
	case key == "" || c.Resume != "" || c.Config != "" || c.hasAssignment(key): // there is one, or none is needed
	case p.Given:
		return usagef("name DALL-E's encoder with --tokenizer dalle-encoder; 'beit pull dalle-encoder' fetches it, and --method beit1-pixels needs none")
	default:
		return usagef("name the tokenizer with --tokenizer RUN; 'beit tokenizer train' makes one")
	}
	return c.run(a, p.Method, extra...)
}

// finetuneCmd is "beit finetune".
type finetuneCmd struct {
	runFlags
	LabelFraction *float64 `placeholder:"F" help:"Part of each class's training images that is used, such as 0.1."`

	Eval       string `hidden:"" help:"Old form of beit eval."`
	ClassNames string `hidden:"" help:"With --eval."`
	ClassMask  string `hidden:"" help:"With --eval."`
}

// Run trains a classifier.
func (c *finetuneCmd) Run(a *app) error {
	if c.Eval != "" {
		return c.oldEval(a)
	}
	if c.ClassNames != "" || c.ClassMask != "" {
		return usagef("--class-names and --class-mask belong to beit eval")
	}
	var extra []string
	if c.LabelFraction != nil {
		extra = append(extra, "data.label_fraction="+strconv.FormatFloat(*c.LabelFraction, 'g', -1, 64))
	}
	return c.run(a, finetune.Method, extra...)
}
