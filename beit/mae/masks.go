package mae

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Masks say which patches of a batch of images are visible.
type Masks struct {
	Patches, Keep int     // patches of an image, and how many of them are visible
	Order         []int32 // [B·Patches]: patches of each image, the visible ones first, in the order in which the encoder gets them
}

// Kept is how many of n patches stay visible at a ratio of masked ones. As in the authors' code the product is computed in floating point and cut
// off: of 25 patches 4 are kept at a ratio of 0.8.
func Kept(n int, ratio float64) int { return int(float64(n) * (1 - ratio)) }

// ByNoise orders patches by ascending noise, n numbers for each image. The first keep of them are visible.
func ByNoise(noise []float64, n, keep int) Masks {
	if n < 1 || len(noise)%n != 0 || keep < 1 || keep > n {
		panic(fmt.Sprintf("mae: ByNoise: %d numbers, of which %d of %d are kept", len(noise), keep, n))
	}
	k := Masks{Patches: n, Keep: keep, Order: make([]int32, len(noise))}
	for at := 0; at < len(noise); at += n {
		order := k.Order[at : at+n]
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(noise[at+int(a)], noise[at+int(b)]) })
	}
	return k
}

// Noise are n random numbers for the patches of one image, by a seed and a path alone.
func Noise(seed uint64, n int, path ...uint64) []float64 {
	random := tensor.NewRand(seed, path...)
	noise := make([]float64, n)
	for i := range noise {
		noise[i] = random.Float64()
	}
	return noise
}

// Others are masks that show what k hides, and hide what it shows.
func (k Masks) Others() Masks {
	o := Masks{Patches: k.Patches, Keep: k.Patches - k.Keep, Order: make([]int32, 0, len(k.Order))}
	for at := 0; at < len(k.Order); at += k.Patches {
		order := k.Order[at : at+k.Patches]
		o.Order = append(append(o.Order, order[k.Keep:]...), order[:k.Keep]...)
	}
	return o
}

// Hidden lists the masked patches among the B·N of the batch, Int32 [B·(N-K)], by their ranks. Tape t owns it.
func (k Masks) Hidden(t *autograd.Tape) *tensor.Tensor {
	return k.rows(t, k.Keep, k.Patches, func(image, patch, _ int) int { return image*k.Patches + patch })
}

// Images is the number of images.
func (k Masks) Images() int { return len(k.Order) / k.Patches }

// Masked says of each patch, in its place in the image, whether it is masked.
func (k Masks) Masked() []bool {
	masked := make([]bool, len(k.Order))
	for i, rank := range k.Ranks() {
		masked[i] = int(rank) >= k.Keep
	}
	return masked
}

// Ranks are the places in Order of each patch of an image.
func (k Masks) Ranks() []int32 {
	ranks := make([]int32, len(k.Order))
	for i, patch := range k.Order {
		first := i / k.Patches * k.Patches
		ranks[first+int(patch)] = int32(i - first)
	}
	return ranks
}

// visible lists the patches of each image that stay visible, [B·Keep].
func (k Masks) visible() []int32 {
	var list []int32
	for first := 0; first < len(k.Order); first += k.Patches {
		list = append(list, k.Order[first:first+k.Keep]...)
	}
	return list
}

// rows lists at for the patches of rank first … last-1 of every image, as an Int32 tensor that the tape owns.
func (k Masks) rows(t *autograd.Tape, first, last int, at func(image, patch, rank int) int) *tensor.Tensor {
	list := make([]int32, 0, k.Images()*(last-first))
	for image := range k.Images() {
		for rank := first; rank < last; rank++ {
			list = append(list, int32(at(image, int(k.Order[image*k.Patches+rank]), rank)))
		}
	}
	return t.Own(tensor.FromInts(t.Device(), list, len(list))).Value()
}

// restore lists for every patch of every image its row among tokens in the order of the masks.
func (k Masks) restore(t *autograd.Tape) *tensor.Tensor {
	list := k.Ranks()
	for i := range list {
		list[i] += int32(i / k.Patches * k.Patches)
	}
	return t.Own(tensor.FromInts(t.Device(), list, len(list))).Value()
}
