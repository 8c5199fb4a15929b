package target

import (
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// pixelCodes are BEiT v1's where DALL-E's encoder is not at hand: the code of a patch is the nearest centroid of k-means over pixels. SplitMask's paper
// (arXiv 2112.10740) found such codes about as good as DALL-E's.
var pixelCodes = Kind{
	Name: "pixel-kmeans", Method: "beit1-pixels", Title: "the codes of k-means over the pixels of patches, by cross-entropy", Codes: true,
	Settings: []string{"pretrain.from_tokenizer=false", "pretrain.model.aggregation.depth=0", "pretrain.visible=0"},
	New: func(s Sources) beit.Target {
		pixels := beit.PixelTeacher{Patch: s.Network.ViT.PatchSize}
		return pixelTarget{pixels, s.State.Buffer("centroids", nn.Zeros, s.Network.Vocab, pixels.Dim())}
	},
}

// pixelTarget has codes by centroids [K, 3·P·P], which are 0 before Fit.
//
// Pixels are compared as they are. Normalised by patch, as MAE predicts them, colour and brightness would be lost, which DALL-E's codes have, and flat
// patches would be told apart by their noise.
type pixelTarget struct {
	pixels    beit.PixelTeacher
	centroids *nn.Param
}

var _ Fitted = pixelTarget{}

// Dim is the number of codes.
func (t pixelTarget) Dim() int { return t.centroids.Shape[0] }

// Labels implements beit.Target. Codes are looked up when Loss is called, for masked patches only.
func (t pixelTarget) Labels(c nn.Context, view *tensor.Tensor) beit.Labels {
	return beit.NearestCodes(t.patches(c, view), t.centroids.Value)
}

// patches are the pixels [B·N, 3·P·P] of images view [B, 3, S, S] in [0, 1]. The tape owns them.
func (t pixelTarget) patches(c nn.Context, view *tensor.Tensor) *tensor.Tensor {
	return c.Tape.Own(t.pixels.Features(c, view)).Value().Reshape(-1, t.pixels.Dim())
}

// Settings of k-means. A codebook's are alike, see beit.VQKD.InitKMeans and tokenizer.kmeans_tokens.
const (
	kMeansIterations = 10
	kMeansPatches    = 32      // for each code
	kMeansLeast      = 4       // for each code, where so many have more than
	kMeansNumbers    = 1 << 26 // numbers: 256 MiB
)

// streamKMeans is of the patches that k-means starts from: never changed, for old configurations would give other codes.
const streamKMeans uint64 = 0x70697865_01

// Fit implements Fitted by k-means over patches as training shows them.
func (t pixelTarget) Fit(ctx context.Context, e *method.Env) error {
	codes := t.Dim()
	need := max(kMeansLeast*codes, min(kMeansPatches*codes, kMeansNumbers/t.pixels.Dim()))
	z, err := e.TokensForKMeans(ctx, need, func(c nn.Context, b *data.Batch) *tensor.Tensor {
		return t.patches(c, method.Upload(c, b, method.FieldTarget).Value())
	})
	if err != nil {
		return err
	}
	defer z.Release()
	n := z.Dim(0)
	centroids, counts := beit.KMeansEuclidean(z, beit.SampleRows(tensor.NewRand(e.Config.Seed, streamKMeans), n, codes), kMeansIterations)
	defer centroids.Release()
	defer counts.Release()
	tensor.CopyInto(t.centroids.Value, centroids)
	e.TellKMeans(counts.Float32s(), n)
	return ctx.Err()
}
