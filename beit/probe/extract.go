package probe

import (
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Pool says how the tokens of an image become one vector. Compare networks by the same pool: a grid is 16 times as wide as a mean, and knows where
// things are.
type Pool string

// The ways to pool.
const (
	PoolCLS  Pool = "cls"  // the class token; what has none gives no such vector
	PoolMean Pool = "mean" // the mean of the patch tokens
	PoolGrid Pool = "grid" // the means of 4 x 4 cells of patches, side by side; of fewer cells where four do not divide a side
)

// Pools are all ways, in the order of the features that extractors give.
var Pools = []Pool{PoolCLS, PoolMean, PoolGrid}

// ParsePools reads names of pools, such as "cls,mean" taken apart. The result is in the order of Pools, each once.
func ParsePools(names []string) ([]Pool, error) {
	for _, name := range names {
		if !slices.Contains(Pools, Pool(name)) {
			return nil, fmt.Errorf("pool %q: there are cls, mean and grid", name)
		}
	}
	var list []Pool
	for _, p := range Pools {
		if slices.Contains(names, string(p)) {
			list = append(list, p)
		}
	}
	return list, nil
}

// Extractor computes one or more kinds of features from a batch of images.
type Extractor struct {
	Names []string // of each kind
	// Run maps images [B, 3, S, S] in [0, 1], which the caller keeps, to one [B, D] for each kind, which the caller releases.
	Run func(images *tensor.Tensor) []*tensor.Tensor
}

// Backbone is Network for images with the normalisation of ImageNet, class token and mean.
func Backbone(m beit.Encoder) Extractor { return Network(m, data.ImageNet, PoolCLS, PoolMean) }

// Network extracts the tokens of a network after the final norm. Images are normalised by norm.
func Network(m beit.Encoder, norm data.Norm, pools ...Pool) Extractor {
	return network(norm, "", pools, m.AllTokens)
}

// BeforeNorm is Network with the tokens before the final norm ("cls before norm", …).
func BeforeNorm(m LayerModel, norm data.Norm, pools ...Pool) Extractor {
	return network(norm, " before norm", pools, func(c nn.Context, images *autograd.Var) *autograd.Var {
		blocks := m.AllBlocks(c, images)
		return blocks[len(blocks)-1]
	})
}

// network returns an extractor of the pooled tokens [B, N+1, d] of normalised images, class token first.
func network(norm data.Norm, suffix string, pools []Pool, tokens func(c nn.Context, images *autograd.Var) *autograd.Var) Extractor {
	return Extractor{Names: names(pools, suffix), Run: func(images *tensor.Tensor) []*tensor.Tensor {
		tape := autograd.NewTape(images.Device())
		defer tape.Reset()
		all := tape.Scope(func() *autograd.Var {
			return tokens(nn.Context{Tape: tape}, tape.Own(beit.Normalize(images, norm.Mean, norm.Std)))
		}).Value()
		b, n, d := all.Dim(0), all.Dim(1)-1, all.Dim(2)
		patches := all.Slice(1, 1, n+1).Clone()
		defer patches.Release()
		var list []*tensor.Tensor
		for _, p := range pools {
			if p == PoolCLS {
				list = append(list, all.Slice(1, 0, 1).Clone().Reshape(b, d))
				continue
			}
			list = append(list, pooled(patches, p))
		}
		return list
	}}
}

// pooled pools patch tokens [B, N, D] of a square of patches: the mean is [B, D], the grid [B, cells·cells·D].
func pooled(x *tensor.Tensor, p Pool) *tensor.Tensor {
	b, n, d := x.Dim(0), x.Dim(1), x.Dim(2)
	if p == PoolMean {
		return tensor.Reduce(tensor.ReduceMean, x, 1)
	}
	side := int(math.Sqrt(float64(n)))
	if side*side != n {
		panic(fmt.Sprintf("probe: a grid of %d patches is no square", n))
	}
	cells := mostCells
	for side%cells != 0 {
		cells--
	}
	of := side / cells                                                             // patches along the side of a cell
	columns := tensor.Reduce(tensor.ReduceMean, x.Reshape(b*side*cells, of, d), 1) // [B·side·cells, D]
	defer columns.Release()
	squares := tensor.Reduce(tensor.ReduceMean, columns.Reshape(b*cells, of, cells*d), 1)
	return squares.Reshape(b, -1)
}

// mostCells is how many cells a grid has along a side; fewer where they do not divide the patches.
const mostCells = 4

// names are those of features pooled so.
func names(pools []Pool, suffix string) (list []string) {
	for _, p := range pools {
		list = append(list, string(p)+suffix)
	}
	return list
}

// ofPatches are the pools that need no class token.
func ofPatches(pools []Pool) []Pool {
	return slices.DeleteFunc(slices.Clone(pools), func(p Pool) bool { return p == PoolCLS })
}

// Pixels extracts the pixels: their mean colour ("mean"), and averages of side x side squares ("grid"). If side is larger than the image size or
// does not divide it, pixels are not averaged.
func Pixels(size, side int, pools ...Pool) Extractor {
	if side > size || size%side != 0 {
		side = size
	}
	pools = ofPatches(pools)
	return Extractor{Names: names(pools, ""), Run: func(images *tensor.Tensor) []*tensor.Tensor {
		b := images.Dim(0)
		var list []*tensor.Tensor
		for _, p := range pools {
			if p == PoolMean {
				list = append(list, tensor.Reduce(tensor.ReduceMean, images.Reshape(b*3, size*size), 1).Reshape(b, 3))
				continue
			}
			at := size / side
			squares := tensor.Patchify(images, at) // [B, side·side, 3·at·at]
			list = append(list, tensor.Reduce(tensor.ReduceMean, squares.Reshape(b*side*side*3, at*at), 1).Reshape(b, -1))
			squares.Release()
		}
		return list
	}}
}

// Teacher extracts the features of a tokenizer's teacher.
func Teacher(t beit.Teacher, pools ...Pool) Extractor {
	pools = ofPatches(pools)
	return Extractor{Names: names(pools, ""), Run: func(images *tensor.Tensor) []*tensor.Tensor {
		tape := autograd.NewTape(images.Device())
		defer tape.Reset()
		y := t.Features(nn.Context{Tape: tape}, images) // [B, N, C]
		defer y.Release()
		var list []*tensor.Tensor
		for _, p := range pools {
			list = append(list, pooled(y, p))
		}
		return list
	}}
}
