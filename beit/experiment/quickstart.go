package experiment

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// What the quickstart trains on: synthetic images, one in sixteen with a label.
var (
	quickImages = 8000
	quickLabels = 0.0625
)

// quickFLOPs is what each of both ways may take: on two cores about a minute.
var quickFLOPs = 7e12

// quickEntries are a network that is trained with the labels alone and one that is pretrained with all images before. The learning rate of each is
// the best of three by the sweep that bench/results/README.md tells of. With a layer decay of 0.6 the pretrained network gains 8 to 12 points over 0.75,
// so that what it is ahead does not hang on how a processor rounds.
func quickEntries() *Entries {
	cost := quickFLOPs
	return &Entries{
		Preset: "tiny32", FLOPs: &cost, Seeds: []int64{1}, Set: []string{"precision=medium", fmt.Sprintf("finetune:data.label_fraction=%g", quickLabels)},
		List: []Entry{
			{Name: "from scratch", Finetune: &[]string{"finetune.layer_decay=1"}},
			{
				Name: subjectName, Tokenizer: &[]string{}, Pretrain: &[]string{"pretrain.target=features"}, Finetune: &[]string{"train.lr=3e-3", "finetune.layer_decay=0.6"},
				Shares: map[string]float64{tokenizer.Method.Name: 0.3, pretrain.Method.Name: 0.55},
			},
		},
	}
}

// Quick is what the quickstart found.
type Quick struct {
	Images     int                           `json:"images"`     // to learn from
	Labels     int                           `json:"labels"`     // of them
	Classes    int                           `json:"classes"`    // equally frequent
	Unseen     int                           `json:"unseen"`     // images that everything is measured on
	Ways       *Standing                     `json:"ways"`       // from scratch and pretrained
	Baselines  []QuickProbe                  `json:"baselines"`  // linear classifiers of features, from the same labels
	Validation map[string]map[string]float64 `json:"validation"` // last validation of tokenizer and backbone, by method
	Folders    map[string]string             `json:"folders"`    // of their runs, and of the classifier's
}

// QuickProbe is one kind of features.
type QuickProbe struct {
	Network string     `json:"network"`
	Pool    probe.Pool `json:"pool"`
	Linear  float64    `json:"linear"`
}

// Quickstart trains on synthetic images in dir: a classifier from a few labels, and another one that is pretrained before, both at the same cost.
// Beside them stand linear classifiers from the same labels. What is in dir is kept, and continued.
func Quickstart(ctx context.Context, e Env, dir string) (*Quick, error) {
	file := quickEntries()
	images := fmt.Sprintf("shapes:%d", quickImages)
	ways, err := CompareEntries(ctx, e, Comparison{Data: config.Paths(images), Out: dir}, file)
	if err != nil {
		return nil, err
	}
	q := &Quick{Images: quickImages, Ways: ways, Validation: map[string]map[string]float64{}, Folders: map[string]string{}}
	chain := file.List[1]
	for _, m := range chain.methods() {
		folder := chain.finalRun(dir, file.Seeds[0], m)
		result, err := train.Finished(folder, model.Methods())
		if err != nil {
			return nil, err
		}
		q.Folders[m.Name], q.Validation[m.Name] = folder, result.Final.Values
	}
	return q, q.baselines(ctx, e)
}

// baselines are linear classifiers of features that need no training, and of the backbone's.
func (q *Quick) baselines(ctx context.Context, e Env) error {
	classifier, err := model.Open(q.Folders[finetune.Method.Name])
	if err != nil {
		return err
	}
	defer classifier.Close()
	from := func(_ *model.Model, size int) (*method.Images, error) { return openLabelled(classifier.Config, size) }
	s, err := OpenSubject(e, q.Folders[pretrain.Method.Name], from)
	if err != nil {
		return err
	}
	defer s.Close()
	q.Labels, q.Unseen, q.Classes = s.Images.Train.Len(), s.Images.Val.Len(), len(s.Images.Train.Classes())
	samples, err := s.Samples(ctx, e, Beside{Pools: []probe.Pool{probe.PoolMean, probe.PoolGrid}, Seed: 1})
	if err != nil {
		return err
	}
	protocol := probe.LinearDefaults
	protocol.LRs = []float64{5e-4, 2e-3, 8e-3}
	for _, one := range samples {
		r, err := probe.Linear(ctx, e.device(), one.Train, one.Val, protocol)
		if err != nil {
			return err
		}
		q.Baselines = append(q.Baselines, QuickProbe{one.Network, probe.Pool(one.Train.Name), r.Top1})
	}
	return nil
}
