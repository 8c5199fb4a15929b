package experiment

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// trial is a row to be measured.
type trial struct {
	table, setting string
	tokenizer      []string // assignments that differ from the preset
	pretrain       []string
	network        string   // whose features are probed
	finetune       bool     // and which is fine-tuned
	seed           []string // the assignment of a seed other than the comparison's own
}

// Networks of a trial.
const (
	ofBackbone  = "backbone"
	ofTokenizer = "tokenizer"
	ofTeacher   = "teacher"
	ofScratch   = "untrained"
)

// key is the name of a trial's figures in rowsFile.
func (t trial) key() string {
	return strings.Join(slices.Concat(t.seed, []string{t.table + ": " + t.setting}), ", ")
}

// String names a trial in notices and errors.
func (t trial) String() string {
	return strings.Join(append([]string{t.table, t.setting}, t.seed...), ", ")
}

// tables are the makers of trials, in their order.
var tables = []struct {
	name     string
	finetune bool // where Comparison.FineTune is set
	of       func(c *Comparison, tok *tokenizer.Section, pre *pretrain.Section) ([]trial, error)
}{
	{"decoder", true, func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return vary("decoder depth", "tokenizer.model.decoder.depth", tok.Model.Decoder.Depth, c.Depths), nil
	}},
	{"dim", true, func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return vary("code dimension", "tokenizer.model.code_dim", tok.Model.CodeDim, c.Dims), nil
	}},
	{"codes", true, func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return vary("codebook size", "tokenizer.model.codes", tok.Model.Codes, c.Codes), nil
	}},
	{"aggregation", true, func(c *Comparison, _ *tokenizer.Section, pre *pretrain.Section) ([]trial, error) {
		return aggregation(pre.Model.Aggregation, c.Heads), nil
	}},
	{"teacher", true, func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return teachers(tok.Teacher, c.Teachers)
	}},
	{"network", false, func(*Comparison, *tokenizer.Section, *pretrain.Section) ([]trial, error) {
		return []trial{
			{table: "network", setting: "VQ-KD encoder", network: ofTokenizer, finetune: true},
			{table: "network", setting: "backbone", network: ofBackbone, finetune: true},
			{table: "network", setting: "untrained", network: ofScratch, finetune: true},
		}, nil
	}},
	{"alive", false, func(_ *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return alive(tok), nil
	}},
}

// TableNames lists the tables that Compare can make.
func TableNames() (names []string) {
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names
}

// noAggregation is the backbone by which the paper compares tokenizers.
const noAggregation = "pretrain.model.aggregation.depth=0"

// vary lists trials of one key of the tokenizer: those of values, or else half, once and twice the preset's.
func vary(table, key string, preset int, values []int) (list []trial) {
	if len(values) == 0 {
		values = []int{max(preset/2, 1), preset, 2 * preset}
	}
	for _, v := range values {
		t := trial{table: table, setting: fmt.Sprint(v), pretrain: []string{noAggregation}, network: ofBackbone}
		if v != preset {
			t.tokenizer = []string{fmt.Sprintf("%s=%d", key, v)}
		}
		list = append(list, t)
	}
	return list
}

// aggregation lists trials of the backbone's second head.
func aggregation(preset beit.AggregationConfig, depths []int) (list []trial) {
	for _, shared := range []bool{true, false} {
		for _, n := range depths {
			t := trial{table: "aggregation blocks", setting: fmt.Sprintf("%d, own head", n), network: ofBackbone,
				pretrain: []string{fmt.Sprintf("pretrain.model.aggregation.depth=%d", n), "pretrain.model.aggregation.shared_head=false"}}
			switch {
			case n == 0 && !shared:
				continue
			case n == 0:
				t.setting, t.pretrain = "0", []string{noAggregation}
			case shared:
				t.setting, t.pretrain[1] = fmt.Sprintf("%d, shared head", n), "pretrain.model.aggregation.shared_head=true"
			}
			if n > 0 && n == preset.Depth && shared == preset.SharedHead { // the run that other tables have
				t.pretrain = nil
			}
			list = append(list, t)
		}
	}
	return list
}

// teachers lists trials of teachers: each itself, the tokenizer's encoder that learned from it, and the backbone that learned from that.
func teachers(preset string, names []string) (list []trial, err error) {
	for _, name := range names {
		set, err := teacherSet(preset, name)
		if err != nil {
			return nil, err
		}
		for _, r := range []struct{ setting, network string }{{", itself", ofTeacher}, {", VQ-KD encoder", ofTokenizer}, {"", ofBackbone}} {
			list = append(list, trial{table: "teacher", setting: name + r.setting, network: r.network, tokenizer: set})
		}
	}
	return list, nil
}

// teacherSet are the assignments by which a tokenizer learns from a teacher; none, where the preset has it.
func teacherSet(preset, name string) ([]string, error) {
	kind, file, published := strings.Cut(name, "=")
	switch {
	case name == preset:
		return nil, nil
	case name == "hog" || name == "hog-ref":
		return []string{"tokenizer.teacher=" + name}, nil
	case published && (kind == "clip" || kind == "dino"):
		return []string{"tokenizer.teacher=" + kind, "tokenizer.teacher_file=" + file}, nil
	}
	if _, err := os.Stat(name); err != nil {
		return nil, wrong("--teacher %s: neither hog, hog-ref, clip=FILE or dino=FILE nor a run folder that exists", name)
	}
	return []string{"tokenizer.teacher=run", "tokenizer.teacher_run=" + name}, nil
}

// alive lists trials of what may keep codes in use: the tokenizer as it is set, and each switch turned over alone.
func alive(tok *tokenizer.Section) []trial {
	list := []trial{{table: "codes alive", setting: "unchanged", network: ofTokenizer}}
	for _, s := range []struct {
		key string
		on  bool
	}{
		{"tokenizer.model.euclidean", tok.Model.Euclidean},
		{"tokenizer.model.codebook_gradient", tok.Model.CodebookGradient},
		{"tokenizer.model.kmeans_init", tok.Model.KMeansInit},
		{"tokenizer.reseed", tok.Reseed},
	} {
		turned := fmt.Sprintf("%s=%v", s.key, !s.on)
		list = append(list, trial{table: "codes alive", setting: turned[strings.LastIndex(turned, ".")+1:], network: ofTokenizer, tokenizer: []string{turned}})
	}
	return list
}
