package experiment

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// quickImages is how many synthetic images the quickstart trains on; validation has a fifth of that. With the settings below it takes about three
// minutes on two cores.
const quickImages = 8000

// quickBoth shrinks small32 to 16 patches and 4 blocks, and takes many small steps.
var quickBoth = []string{
	fmt.Sprintf("data.path=procedural:%d", quickImages), "log.eval_every=5",
	"train.batch=32", "train.lr_batch=32",
}

var quickTokenizer = append([]string{
	"tokenizer.model.encoder.patch_size=8", "tokenizer.model.encoder.width=96", "tokenizer.model.encoder.depth=4",
	"tokenizer.model.decoder.image_size=4", "tokenizer.model.decoder.width=96", "tokenizer.model.codes=256",
	"train.epochs=6", "train.lr=1e-3",
}, quickBoth...)

var quickPretrain = append([]string{
	"pretrain.model.vit.patch_size=8", "pretrain.model.vit.width=128", "pretrain.model.vit.depth=4", "pretrain.model.vit.heads=4",
	"pretrain.model.vit.layer_scale=0", "pretrain.model.wide_init=true", "pretrain.model.vocab=256",
	"pretrain.mask.rows=4", "pretrain.mask.cols=4", "pretrain.mask.count=6", "pretrain.mask.min_block=2",
	"train.epochs=11", "train.lr=2e-3",
}, quickBoth...)

// quickPools are how features are pooled: a grid is wide, and its probes would take longer than the training.
var quickPools = []probe.Pool{probe.PoolCLS, probe.PoolMean}

// Round is what one round of the quickstart left.
type Round struct {
	Tokenizer       tokenizer.Report   `json:"tokenizer"`
	Pretraining     map[string]float64 `json:"pretraining"` // last validation
	Probes          []QuickProbe       `json:"probes"`
	TokenizerFolder string             `json:"tokenizer_folder"`
	BackboneFolder  string             `json:"backbone_folder"`
}

// QuickProbe is one kind of features.
type QuickProbe struct {
	Network string  `json:"network"`
	Feature string  `json:"feature"`
	Linear  float64 `json:"linear"`
	KNN     float64 `json:"knn"`
}

// Quickstart trains a tokenizer and a backbone on synthetic images in dir and probes what they learned; from the second round on, the backbone of
// the round before teaches the tokenizer.
func Quickstart(ctx context.Context, e Env, dir string, rounds int) ([]Round, error) {
	var list []Round
	teacher := ""
	for i := range rounds {
		r, err := quickRound(ctx, e, filepath.Join(dir, fmt.Sprintf("round-%d", i+1)), teacher)
		if err != nil {
			return nil, err
		}
		list, teacher = append(list, r), r.BackboneFolder
	}
	return list, nil
}

// quickRound trains a tokenizer, by teacher when that names a backbone, and a backbone, and probes it.
func quickRound(ctx context.Context, e Env, dir, teacher string) (Round, error) {
	r := Round{TokenizerFolder: filepath.Join(dir, "tokenizer"), BackboneFolder: filepath.Join(dir, "backbone")}
	set := quickTokenizer
	if teacher != "" {
		set = append([]string{"tokenizer.teacher=run", "tokenizer.teacher_run=" + teacher}, set...)
	}
	if _, err := Train(ctx, e, r.TokenizerFolder, tokenizer.Method, config.DefaultPreset, set); err != nil {
		return r, err
	}
	set = append([]string{"pretrain.tokenizer=" + r.TokenizerFolder}, quickPretrain...)
	result, err := Train(ctx, e, r.BackboneFolder, pretrain.Method, config.DefaultPreset, set)
	if err != nil {
		return r, err
	}
	r.Pretraining = result.Final.Values
	return r, r.measure(ctx, e, result.Config)
}

// measure evaluates the tokenizer and probes the backbone on the images that both were trained on.
func (r *Round) measure(ctx context.Context, e Env, c *config.Config) error {
	images, err := method.OpenImages(c, pretrain.Method.ImageSize(c), nil)
	if err != nil {
		return err
	}
	defer images.Close()
	tm, err := model.Open(r.TokenizerFolder)
	if err != nil {
		return err
	}
	defer tm.Close()
	tok, err := tokenizer.Build(e.device(), tm)
	if err != nil {
		return err
	}
	defer tok.Set.Release()
	teacher, err := tok.OpenTeacher(model.Opener())
	if err != nil {
		return err
	}
	defer teacher.Release()
	env := EvalEnv(e, tokenizer.Method, tm.Config, c.Data.Eval, images.Train, images.Val)
	if r.Tokenizer, err = tokenizer.Evaluate(ctx, env, tok.VQKD, teacher); err != nil {
		return err
	}
	bm, err := model.Open(r.BackboneFolder)
	if err != nil {
		return err
	}
	defer bm.Close()
	backbone, err := model.OpenEncoder(e.device(), bm)
	if err != nil {
		return err
	}
	defer backbone.Set.Release()
	random, set, err := model.RandomEncoder(e.device(), bm, c.Seed)
	if err != nil {
		return err
	}
	defer set.Release()
	e.reporter().Progress(method.Progress{Method: "quickstart", Phase: "probing"})
	size := backbone.ViT.ImageSize
	samples, err := Extract(ctx, e, images, size, []Contender{
		{"untrained", probe.Backbone(random)}, Pixels(size, quickPools...), Teacher(teacher, quickPools...), {"pretrained", probe.Backbone(backbone)},
	})
	if err != nil {
		return err
	}
	for _, s := range samples {
		linear, knn, err := scores(ctx, e, s, probe.LinearDefaults)
		if err != nil {
			return err
		}
		r.Probes = append(r.Probes, QuickProbe{s.Network, s.Train.Name, linear.Top1, knn.Top1})
	}
	return nil
}

// scores probes one kind of features by a linear classifier and by its 20 nearest neighbours.
func scores(ctx context.Context, e Env, s Sample, c probe.LinearConfig) (linear probe.LinearResult, knn probe.Score, err error) {
	if linear, err = probe.Linear(ctx, e.device(), s.Train, s.Val, c); err != nil {
		return linear, knn, err
	}
	knn, err = probe.KNN(ctx, e.device(), s.Train, s.Val, 20, 0.07)
	return linear, knn, err
}

// PrintRounds shows what was learned, each figure beside the baselines that it is to be compared with.
func PrintRounds(w io.Writer, rounds []Round) error {
	for i, r := range rounds {
		if err := r.print(w, i+1); err != nil {
			return err
		}
	}
	return nil
}

func (r Round) print(w io.Writer, number int) error {
	t, p := r.Tokenizer, r.Pretraining
	fmt.Fprintf(w, "\nRound %d\n\nTokenizer (%s)\n", number, r.TokenizerFolder)
	var tok Table
	tok.Add("  reconstruction loss", fmt.Sprintf("%.4f", t.Reconstruction))
	tok.Add("    best constant", fmt.Sprintf("%.4f", t.Constant))
	tok.Add(fmt.Sprintf("    k-means of the targets, %d centres", t.Codes), fmt.Sprintf("%.4f", t.KMeans))
	tok.Add("  codes used", fmt.Sprintf("%d of %d", t.Used, t.Codes))
	tok.Add("  perplexity", fmt.Sprintf("%.1f", t.Perplexity))
	if err := tok.Print(w); err != nil {
		return err
	}

	fmt.Fprintf(w, "\nPretraining (%s)\n", r.BackboneFolder)
	var mim Table
	mim.Add("", "MIM head", "aggregation head")
	mim.Add("  cross-entropy of masked patches, nat", fmt.Sprintf("%.4f", p["loss_mim"]), fmt.Sprintf("%.4f", p["loss_aggregation"]))
	mim.Add("    unigram entropy", fmt.Sprintf("%.4f", p["unigram_entropy"]), fmt.Sprintf("%.4f", p["unigram_entropy"]))
	mim.Add("    shuffled [CLS]", "", fmt.Sprintf("%.4f", p["loss_cls_shuffled"]))
	mim.Add("  accuracy on masked patches", Percent(p["acc_mim"]), Percent(p["acc_aggregation"]))
	mim.Add("    nearest-patch baseline", Percent(p["acc_nearest_patch"]), Percent(p["acc_nearest_patch"]))
	if err := mim.Print(w); err != nil {
		return err
	}

	fmt.Fprintf(w, "\nProbes, top-1 on images that nothing was trained on\n")
	var probes Table
	probes.Add("  network", "feature", "linear", "20-NN")
	for _, q := range r.Probes {
		probes.Add("  "+q.Network, q.Feature, Percent(q.Linear), Percent(q.KNN))
	}
	return probes.Print(w)
}
