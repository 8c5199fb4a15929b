package experiment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/probe"
)

// SeedResult is what the runs of an entry gave with one seed.
type SeedResult struct {
	Seed   int64                  `json:"seed"`
	Cost   float64                `json:"cost"`
	Top1   *float64               `json:"top1"`   // fine-tuned; nil: nothing was
	Right  string                 `json:"right"`  // by validation image: 1 right, 0 wrong, - unreadable
	Linear map[probe.Pool]float64 `json:"linear"` // top-1 of probes before fine-tuning; nil: there was no network
	KNN    map[probe.Pool]float64 `json:"knn"`
}

// measure does what is left of the runs of a chain, and measures what they left.
func (l *lineup) measure(c chain) (SeedResult, error) {
	r := SeedResult{Seed: c.seed}
	out, err := l.train(c)
	if err != nil {
		return r, err
	}
	r.Cost = out.cost
	if out.before != "" {
		if err := l.probe(out.before, out.key, &r); err != nil {
			return r, err
		}
	}
	if c.entry.Finetune == nil {
		return r, nil
	}
	return r, l.judge(out.last.Dir, &r)
}

// judge measures a classifier on every validation image.
func (l *lineup) judge(dir string, r *SeedResult) error {
	m, err := model.Open(dir)
	if err != nil {
		return err
	}
	defer m.Close()
	trained, err := finetune.Build(l.env.device(), m)
	if err != nil {
		return err
	}
	defer trained.Set.Release()
	images, err := openLabelled(m.Config, finetune.Method.ImageSize(m.Config))
	if err != nil {
		return err
	}
	defer images.Close()
	if err := l.sameVal(images); err != nil {
		return err
	}
	right := slices.Repeat([]byte{isUnread}, len(l.val))
	env := EvalEnv(l.env, finetune.Method, m.Config, m.Config.Data.Eval, images.Train, images.Val)
	report, err := finetune.EvaluateEach(l.ctx, env, trained, images.Val, nil, func(i int, ok bool) {
		if right[i] = isWrong; ok {
			right[i] = isRight
		}
	})
	r.Top1, r.Right = &report.Top1, string(right)
	return err
}

// sameVal refuses other validation images than those that were there at the beginning.
func (l *lineup) sameVal(images *method.Images) error {
	same := images.Val.Len() == len(l.val)
	for i := 0; same && i < len(l.val); i++ {
		same = images.Val.Name(i) == l.val[i]
	}
	if !same {
		return fmt.Errorf("the validation images changed since the comparison began")
	}
	return nil
}

// probe measures the features of the model at path, on the images that all entries are probed on.
func (l *lineup) probe(path, key string, r *SeedResult) error {
	cfg, err := l.c.configure(l.prober(), l.imageSeed())
	if err != nil {
		return err
	}
	r.Linear, r.KNN, err = probeModel(l.ctx, l.env, path, key, cfg, uint64(r.Seed), probe.Pools...)
	return err
}

// probeModel measures features of the model at path on the images that c names: the top-1 of one linear classifier and of the 20 nearest
// neighbours, by pool.
func probeModel(ctx context.Context, e Env, path, key string, c *config.Config, seed uint64, pools ...probe.Pool) (linear, knn map[probe.Pool]float64, err error) {
	m, err := e.open()(path, key)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	encoder, err := model.OpenProbed(e.device(), m)
	if err != nil {
		return nil, nil, err
	}
	defer encoder.Set.Release()
	images, err := openLabelled(c, encoder.ViT.ImageSize)
	if err != nil {
		return nil, nil, err
	}
	defer images.Close()
	samples, err := Extract(ctx, e, images, encoder.ViT.ImageSize, []Contender{{m.Path, probe.Network(encoder, encoder.Norm, pools...)}})
	if err != nil {
		return nil, nil, err
	}
	classifier := probe.LinearDefaults
	classifier.Seed, classifier.Seeds = seed, 1
	linear, knn = map[probe.Pool]float64{}, map[probe.Pool]float64{}
	for _, s := range samples {
		l, k, err := scores(ctx, e, s, classifier)
		if err != nil {
			return nil, nil, err
		}
		pool := probe.Pool(s.Train.Name)
		linear[pool], knn[pool] = l.Top1, k.Top1
	}
	return linear, knn, nil
}

// finetunedTop1 is the accuracy of the model that fine-tuning leaves: with finetune.ema that is the EMA.
func finetunedTop1(v map[string]float64) *float64 {
	return cmp.Or(value(v, "ema_top1"), value(v, "top1"))
}

// EntryRow is an entry that was measured. Figures that it does not have are nil.
type EntryRow struct {
	Entry        Entry                   `json:"entry"`
	Alternatives int                     `json:"alternatives"` // that it was tried with; 1: no sweep
	Chosen       string                  `json:"chosen"`       // of them
	Cost         float64                 `json:"cost"`         // mean over the seeds
	Top1         *float64                `json:"top1"`         // fine-tuned, mean over the seeds
	Spread       *float64                `json:"spread"`       // standard deviation over the seeds; nil for one
	Difference   *Difference             `json:"difference"`   // to the first entry; nil for that itself, and where one of both has no classifier
	Linear       map[probe.Pool]*float64 `json:"linear"`       // means over the seeds
	KNN          map[probe.Pool]*float64 `json:"knn"`
	Outside      []string                `json:"outside"` // models that the entry starts or learns from, whose training is in no cost
	Seeds        []SeedResult            `json:"seeds"`
}

// summarize fills in what follows from the seeds.
func (r *EntryRow) summarize() {
	r.Linear, r.KNN = map[probe.Pool]*float64{}, map[probe.Pool]*float64{}
	cost, _ := meanAndSpread(r.Seeds, func(s SeedResult) *float64 { return &s.Cost })
	r.Cost = *cost
	r.Top1, r.Spread = meanAndSpread(r.Seeds, func(s SeedResult) *float64 { return s.Top1 })
	for _, pool := range probe.Pools {
		r.Linear[pool], _ = meanAndSpread(r.Seeds, func(s SeedResult) *float64 { return value(s.Linear, pool) })
		r.KNN[pool], _ = meanAndSpread(r.Seeds, func(s SeedResult) *float64 { return value(s.KNN, pool) })
	}
}

// right are the correct images under each seed.
func (r *EntryRow) right() (list []string) {
	for _, s := range r.Seeds {
		list = append(list, s.Right)
	}
	return list
}

// Standing are entries side by side.
type Standing struct {
	Data   string     `json:"data"`
	Preset string     `json:"preset"`
	Seeds  []int64    `json:"seeds"`
	Set    []string   `json:"set"`    // assignments for all entries
	Unit   string     `json:"unit"`   // of costs: flops, steps or images
	Budget float64    `json:"budget"` // what the runs of an entry may take together, with one seed
	Rows   []EntryRow `json:"entries"`
}

// add adds an entry and compares it with the first one.
func (s *Standing) add(r EntryRow) {
	if len(s.Rows) > 0 && r.Top1 != nil && s.Rows[0].Top1 != nil {
		d := differ(s.Rows[0].right(), r.right())
		r.Difference = &d
	}
	s.Rows = append(s.Rows, r)
}

// Notes are what a reader of the table must know.
func (s *Standing) Notes() (list []string) {
	counts := map[int]bool{}
	for _, r := range s.Rows {
		counts[r.Alternatives] = true
		for _, path := range r.Outside {
			list = append(list, fmt.Sprintf("%s builds on %s, whose training is not in its cost.", r.Entry.Name, path))
		}
	}
	differs := slices.ContainsFunc(s.Rows, func(r EntryRow) bool { return r.Difference != nil })
	if differs && len(s.Seeds) == 1 {
		list = append(list, "There is one seed: the intervals say nothing of others.")
	}
	if len(counts) > 1 {
		list = append(list, "The entries were tried with different numbers of alternatives: more of them are an advantage. Sweeps are in no cost.")
	}
	return list
}
