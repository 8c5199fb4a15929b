package weights

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit"
)

// metaTaps is the key of the metadata of files that Convert writes with the taps of a segmenter, as beit.SegmenterConfig has them.
const metaTaps = "taps"

// describeTaps makes a segmenter see the blocks that its file tells: by its metadata; else, with the names of transformers, by out_indices of the
// config.json beside it, where entry i stands for block i-2; else by the rule "hf". What transformers takes is noted. Where the blocks are none of the
// network's, the head is not known here.
func (m *Model) describeTaps(indices []int) {
	s, name := &m.Segmenter, m.file.Name()
	if m.Kind != Segmenter || s.Head != beit.HeadUperNet {
		return
	}
	told := m.file.Metadata()[metaTaps]
	from := "its metadata"
	switch {
	case told != "":
		s.Taps = told
	case m.Naming != HF:
		return
	case indices != nil:
		blocks := make([]int, len(indices))
		for i, index := range indices {
			blocks[i] = index - 2
		}
		s.Taps, from = beit.TapsText(s.ViT.Depth, blocks), configFile+" beside it"
	default:
		s.Taps, from = beit.TapsHF, "no "+configFile+" beside it tells others"
		if _, err := s.TapBlocks(); err != nil { // too few blocks for the rule
			s.Taps = beit.TapsOfficial
			m.note(true, "%s: does not tell the blocks that the head sees: those of --taps official are taken", name)
			return
		}
	}
	taps, err := s.TapBlocks()
	if err != nil {
		m.note(true, "%s: its head cannot be used: %s: %v", name, from, err)
		*s = beit.SegmenterConfig{}
		return
	}
	if told == "" {
		m.note(indices == nil, "%s: the head sees blocks %s, as in transformers: %s; --taps official takes those of the authors' code",
			name, strings.Trim(fmt.Sprint(taps), "[]"), from)
	}
}
