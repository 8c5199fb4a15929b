package train

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// pretrainTask trains a backbone by masked image modelling.
type pretrainTask struct {
	r        *run
	s        *nn.Set
	model    *beit.MIM
	target   beit.Target
	source   *TokenizerModel
	shuffled [2][]int32 // of training and validation pictures, N codes each, for the shuffled-code control; else nil
	copies   [][]int    // for each patch the others, nearest first

	last   beit.MIMResult
	labels beit.Labels
	now    *readings
}

func newPretrainTask(r *run) (task, error) {
	c := r.cfg.Pretrain
	if c.Tokenizer == "" {
		return nil, fmt.Errorf("pretrain.tokenizer: name the run or file of a tokenizer")
	}
	source, err := LoadTokenizer(r.dev, c.Tokenizer)
	if err != nil {
		return nil, fmt.Errorf("pretrain.tokenizer: %w", err)
	}
	if r.at.Source, err = fingerprintModel(c.Tokenizer, Tokenizer); err != nil {
		return nil, fmt.Errorf("pretrain.tokenizer: %w", err)
	}
	e, v := source.Model.Config.Encoder, c.Model.ViT
	if e.ImageSize != v.ImageSize || e.Grid() != v.Grid() {
		return nil, fmt.Errorf("pretrain.tokenizer: %s has pictures of %d in %d x %d patches, the model pictures of %d in %d x %d",
			source.Path, e.ImageSize, e.Grid(), e.Grid(), v.ImageSize, v.Grid(), v.Grid())
	}
	t := &pretrainTask{r: r, s: nn.NewSet(), source: source, now: &readings{}, copies: nearestFirst(v.Grid())}
	t.target = beit.CodeTarget{Tokenizer: source.Model}
	if c.Target == targetFeatures {
		teacher, err := source.Teacher()
		if err != nil {
			return nil, fmt.Errorf("pretrain.target: %w", err)
		}
		t.target = beit.FeatureTarget{Teacher: teacher}
	}
	c.Model.Vocab = t.target.Dim()
	t.model = beit.NewMIM(t.s.Scope(), c.Model)
	t.s.Build(r.dev, r.cfg.Seed, nn.Training)
	return t, nil
}

func (t *pretrainTask) set() *nn.Set { return t.s }

func (t *pretrainTask) finished() []*nn.Param { return t.s.Params() }

func (t *pretrainTask) release() {
	t.now.release()
	t.s.Release()
	t.source.Set.Release()
}

func (t *pretrainTask) prepare(ctx context.Context) error { return ctx.Err() }

func (t *pretrainTask) begin() {}

// ready makes the codes of the shuffled-code control.
func (t *pretrainTask) ready(ctx context.Context) error {
	if !t.r.cfg.Pretrain.ShuffleCodes {
		return nil
	}
	for i, ds := range []data.Dataset{t.r.pictures.train, t.r.pictures.val} {
		if ds == nil {
			continue
		}
		codes, err := EncodeDataset(ctx, t.source, ds, t.r.cfg.Data.Eval, t.r.env)
		if err != nil {
			return err
		}
		shuffleReadable(codes, tensor.NewRand(t.r.cfg.Seed, streamShuffle, uint64(i)))
		t.shuffled[i] = codes
	}
	return nil
}

// shuffleReadable exchanges codes between all patches but those of unreadable pictures, which keep their -1.
func shuffleReadable(codes []int32, random *tensor.Rand) {
	var at []int
	for i, c := range codes {
		if c >= 0 {
			at = append(at, i)
		}
	}
	random.Shuffle(len(at), func(a, b int) { codes[at[a]], codes[at[b]] = codes[at[b]], codes[at[a]] })
}

// given are the labels of the control for a batch of training (which = 0) or validation pictures.
func (t *pretrainTask) given(b *data.Batch, which int) *beit.CodeLabels {
	n := t.model.Config.ViT.Tokens()
	var codes []int32
	for _, i := range b.Index {
		codes = append(codes, t.shuffled[which][i*n:(i+1)*n]...)
	}
	return beit.GivenCodes(codes)
}

// mask draws the masks of a batch, each a function of the run's seed, the path and the picture.
func (t *pretrainTask) mask(b *data.Batch, path ...uint64) []bool {
	n := t.model.Config.ViT.Tokens()
	mask := make([]bool, len(b.Index)*n)
	for i, picture := range b.Index {
		random := tensor.NewRand(t.r.cfg.Seed, append(path, uint64(picture))...)
		beit.BlockMask(t.r.cfg.Pretrain.Mask, random, mask[i*n:(i+1)*n])
	}
	return mask
}

func (t *pretrainTask) forward(c nn.Context, b *data.Batch) *autograd.Var {
	if t.shuffled[0] != nil {
		t.labels = t.given(b, 0)
	} else {
		t.labels = t.target.Labels(c, upload(c, b, viewTarget).Value())
	}
	t.last = t.model.Forward(c, upload(c, b, viewImage), t.mask(b, streamMask, uint64(b.Epoch)), t.labels)
	return t.last.Loss
}

func (t *pretrainTask) commit(c nn.Context) {
	t.now.scalar("loss", t.last.Loss.Value())
	t.now.scalar("loss_1", t.last.Main.Value())
	if t.last.Aggregation != nil {
		t.now.scalar("loss_2", t.last.Aggregation.Value())
	}
	labels, ok := t.labels.(*beit.CodeLabels)
	if !ok {
		return
	}
	truth := labels.Codes(c.Tape, t.last.Rows)
	t.now.match("mlm_acc_1", tensor.ArgMax(t.last.LogitsMain.Value()), truth)
	if t.last.Aggregation != nil {
		t.now.match("mlm_acc_2", tensor.ArgMax(t.last.LogitsAggregation.Value()), truth)
	}
}

func (t *pretrainTask) take() *readings {
	r := t.now
	t.now = &readings{}
	return r
}

func (t *pretrainTask) update(int) {}

func (t *pretrainTask) settled(*readings) {}

func (t *pretrainTask) describe(map[string]float64) {}

func (t *pretrainTask) describeEpoch(map[string]float64) {}

func (t *pretrainTask) save() ([]state.Named, json.RawMessage) { return nil, json.RawMessage("{}") }

func (t *pretrainTask) restore(*state.File, json.RawMessage) error { return nil }

func (t *pretrainTask) rewind() {}

func (t *pretrainTask) inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	images := upload(c, b, viewImage)
	check("pictures", images.Value())
	c.Tape.NoGrad(func() {
		for i, x := range t.model.AllBlocks(c, images) {
			check(fmt.Sprintf("output of blocks.%d (without a mask)", i), x.Value())
		}
	})
	loss := t.forward(c, b)
	check("predictions of the main head", t.last.LogitsMain.Value())
	check("loss of the main head", t.last.Main.Value())
	if t.last.Aggregation != nil {
		check("predictions of the aggregation head", t.last.LogitsAggregation.Value())
		check("loss of the aggregation head", t.last.Aggregation.Value())
	}
	return loss
}
