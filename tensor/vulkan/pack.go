//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"slices"

	"github.com/gobeit/gobeit/shaders"
)

// packJobs is how many factors shaders/half_pack.comp packs in one dispatch, and of how many matrices.
const packJobs = 4

// What half_pack.comp does of a factor.
const (
	packBoth  = iota // finds the largest magnitudes of rows and packs them
	packFind         // finds them in pieces of rows
	packFound        // packs by those
)

// aligned is a size rounded up to 64 words, so that factors are as far apart in their memory as every driver wants what it binds.
func aligned(words int) int { return div(words, 64) * 64 }

// pack packs factors, in one dispatch those with short rows and in two those with long ones, of which a workgroup sees only a piece. Where a shader does
// not see all of them, or they are more than one allocation may be, they are packed in parts.
func (b *backend) pack(all []*factor) {
	if len(all) == 0 {
		return
	}
	// In the memory come the packed factors with short rows, then the tops of the others, then these packed.
	slices.SortStableFunc(all, func(x, y *factor) int { return min(x.pieces, 1) - min(y.pieces, 1) })
	short, size := 0, 0
	for ; short < len(all) && all[short].pieces == 0; short++ {
		size += aligned(all[short].words())
	}
	tops, toPack := size, size
	for _, f := range all[short:] {
		toPack += f.tops()
	}
	toPack = aligned(toPack)
	size = toPack
	for _, f := range all[short:] {
		size += aligned(f.words())
	}
	if half := len(all) / 2; half > 0 && (len(all) > packJobs || size > b.mostWords() || 4*int64(size) > b.caps.maxMemory) {
		b.pack(all[:half])
		b.pack(all[half:])
		return
	}
	memory := b.temp(size)
	at, found := 0, tops
	first, second := packing{memory: memory.part(0, toPack)}, packing{memory: memory.part(tops, size-tops)}
	for _, f := range all[:short] {
		first.add(f, packBoth, at)
		f.packedWords = memory.part(at, f.words())
		at += aligned(f.words())
	}
	at = toPack
	for _, f := range all[short:] {
		first.add(f, packFind, found)
		second.add(f, packFound, at-tops)
		f.packedWords = memory.part(at, f.words())
		found, at = found+f.tops(), at+aligned(f.words())
	}
	b.dispatchPacking(first)
	b.dispatchPacking(second)
}

// packing is one dispatch of half_pack.comp.
type packing struct {
	memory  arg
	sources []arg
	words   []uint32 // of the jobs
	groups  int
}

// add adds a job for f, whose result goes to word at of the memory.
func (p *packing) add(f *factor, kind, at int) {
	source := slices.IndexFunc(p.sources, func(x arg) bool { return x.a == f.x.a && x.lo == f.x.lo && x.n == f.x.n })
	if source < 0 {
		source = len(p.sources)
		p.sources = append(p.sources, f.x)
	}
	step := f.row
	if f.col != 1 {
		step = f.col
	}
	what := kind | source<<2 | int(word(f.col == 1))<<4 | f.tile/packRows<<5 | f.batch<<8
	p.words = append(p.words, u(f.rows), u(f.k), u(step), u(f.next), u(at), u(what))
	p.groups += f.padded / packRows * max(1, f.pieces) * f.batch
}

func (b *backend) dispatchPacking(p packing) {
	if p.groups == 0 {
		return
	}
	for len(p.sources) < packJobs {
		p.sources = append(p.sources, p.sources[0].part(0, 1))
	}
	p.words = append(p.words, make([]uint32, 6*packJobs-len(p.words))...) // there are no other jobs
	b.dispatch(shaders.HalfPack, nil, flat(p.groups), p.words, append([]arg{p.memory}, p.sources...)...)
}
