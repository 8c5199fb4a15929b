package cae

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Masks say which patches of a batch of images are masked, as many of each image.
type Masks struct {
	Patches int     // of an image
	visible []int32 // [B·V]: of each image the patches that are not masked, in the image's order
	masked  []int32 // [B·M]: the others
}

// NewMasks returns the masks of images of n patches; masked is [B·n]. It panics unless as many patches are masked in each image, at least one, and at
// least one is not.
func NewMasks(masked []bool, n int) Masks {
	if n < 1 || len(masked) == 0 || len(masked)%n != 0 {
		panic(fmt.Sprintf("cae: NewMasks: %d values for images of %d patches", len(masked), n))
	}
	k, images := Masks{Patches: n}, len(masked)/n
	for image := range images {
		before := len(k.masked)
		for p, on := range masked[image*n : (image+1)*n] {
			if on {
				k.masked = append(k.masked, int32(p))
			} else {
				k.visible = append(k.visible, int32(p))
			}
		}
		if count := len(k.masked) - before; count == 0 || count == n || count*(image+1) != len(k.masked) {
			panic(fmt.Sprintf("cae: NewMasks: %d of %d patches of image %d are masked: must be as many in each image, and neither none nor all", count, n, image))
		}
	}
	return k
}

// Images is the number of images.
func (k Masks) Images() int { return (len(k.visible) + len(k.masked)) / k.Patches }

// rows are the masked patches among all B·N of the batch, Int32 [B·M]; the tape owns them.
func (k Masks) rows(t *autograd.Tape) *tensor.Tensor {
	each := len(k.masked) / k.Images()
	list := make([]int32, len(k.masked))
	for i, p := range k.masked {
		list[i] = int32(i/each*k.Patches) + p
	}
	return t.Own(tensor.FromInts(t.Device(), list, len(list))).Value()
}

// positions are the rows of patches in a table [1+N, D] that begins with the class token's, [B, K, D]. The table is a constant.
func (k Masks) positions(table *autograd.Var, patches []int32) *autograd.Var {
	list := make([]int32, len(patches))
	for i, p := range patches {
		list[i] = p + 1
	}
	t := table.Tape()
	rows := t.Own(tensor.FromInts(t.Device(), list, len(list))).Value()
	return autograd.Reshape(autograd.GatherRows(table, rows), k.Images(), -1, table.Shape()[1])
}
