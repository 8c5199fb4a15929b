package explore

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/tensor"
)

// streamRandom is the random stream of the patches that are kept, streamLabels and streamPatches those of the controls of Agreement.
const (
	streamRandom  = 0xc0de_01
	streamLabels  = 0xc0de_02
	streamPatches = 0xc0de_03
)

// gatherer collects what Codes says.
type gatherer struct {
	tok      *infer.Tokenizer
	ds       data.Dataset
	opt      CodebookOptions
	codes    *Codes
	random   *tensor.Rand
	shuffled []int // for each image another one, whose label it gets in a control

	classes, shuffledClasses, parts *groups
}

func newGatherer(tok *infer.Tokenizer, ds data.Dataset, opt CodebookOptions) *gatherer {
	k := tok.Vocabulary()
	g := &gatherer{
		tok: tok, ds: ds, opt: opt, random: tensor.NewRand(opt.Seed, streamRandom),
		codes: &Codes{Grid: tok.Grid(), Codes: make([]Code, k), Classes: ds.Classes()},
	}
	if n := len(ds.Classes()); n > 0 {
		g.classes, g.shuffledClasses = newGroups(k, n), newGroups(k, n)
		g.shuffled = tensor.NewRand(opt.Seed, streamLabels).Perm(ds.Len())
	}
	return g
}

// add takes the codes of an image.
func (g *gatherer) add(item infer.Item[infer.Codes]) error {
	g.codes.Images++
	best := map[int32]int{} // patch of the largest cosine of each code
	for p, k := range item.Value.Index {
		c := &g.codes.Codes[k]
		c.Patches++
		c.Cosine += float64(item.Value.Cosine[p])
		g.keepRandom(c, g.patch(item, p))
		if at, has := best[k]; !has || item.Value.Cosine[p] > item.Value.Cosine[at] {
			best[k] = p
		}
	}
	for k, p := range best {
		g.codes.Codes[k].Images++
		g.keepNearest(&g.codes.Codes[k], g.patch(item, p))
	}
	if g.classes != nil {
		g.classes.addAll(item.Value.Index, g.ds.Label(item.Index))
		g.shuffledClasses.addAll(item.Value.Index, g.ds.Label(g.shuffled[item.Index]))
	}
	return g.addParts(item)
}

func (g *gatherer) patch(item infer.Item[infer.Codes], p int) Patch {
	return Patch{Image: item.Index, Row: p / item.Value.Cols, Col: p % item.Value.Cols, Cosine: item.Value.Cosine[p]}
}

// keepNearest puts a patch into its place among the nearest. Of equal cosines the image that came first stays first.
func (g *gatherer) keepNearest(c *Code, p Patch) {
	at := len(c.Nearest)
	for at > 0 && c.Nearest[at-1].Cosine < p.Cosine {
		at--
	}
	if len(c.Nearest) < g.opt.Nearest {
		c.Nearest = append(c.Nearest, Patch{})
	}
	if at < len(c.Nearest) {
		copy(c.Nearest[at+1:], c.Nearest[at:])
		c.Nearest[at] = p
	}
}

// keepRandom is a step of reservoir sampling: each of the patches that came so far is kept with the same probability.
func (g *gatherer) keepRandom(c *Code, p Patch) {
	if len(c.Random) < g.opt.Random {
		c.Random = append(c.Random, p)
	} else if at := g.random.IntN(c.Patches); at < len(c.Random) {
		c.Random[at] = p
	}
}

// addParts counts the patches by what the mask of the image says of most of their pixels. A dataset either has masks or has none.
func (g *gatherer) addParts(item infer.Item[infer.Codes]) error {
	first := g.codes.Images == 1
	if !first && g.parts == nil {
		return nil
	}
	s, err := g.ds.Sample(item.Index)
	if err != nil || s.Mask == nil {
		return err
	}
	if first {
		g.parts = newGroups(len(g.codes.Codes), noPart)
	}
	for p, k := range item.Value.Index {
		box := g.tok.PatchBox(s.Mask.W, s.Mask.H, p/item.Value.Cols, p%item.Value.Cols)
		g.parts.add(k, partOf(s.Mask, box))
	}
	return nil
}

// finish computes what follows from the counts.
func (g *gatherer) finish() *Codes {
	counts := make([]int, len(g.codes.Codes))
	for k := range g.codes.Codes {
		c := &g.codes.Codes[k]
		counts[k] = c.Patches
		g.codes.Patches += c.Patches
		if c.Patches > 0 {
			c.Cosine /= float64(c.Patches)
		}
		if g.classes != nil {
			c.Classes = g.classes.of[k]
		}
	}
	g.codes.Usage = beit.UsageOfCounts(counts)
	if g.classes != nil {
		g.codes.ByClass = g.classes.measure(tensor.NewRand(g.opt.Seed, streamPatches))
		g.codes.ByClass.LabelsPermuted = g.shuffledClasses.score()
	}
	if g.parts != nil {
		g.codes.ByPart = g.parts.measure(tensor.NewRand(g.opt.Seed, streamPatches))
	}
	return g.codes
}
