package pretrain

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/weights"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Target        string          `toml:"target" help:"what masked patches are to be, as package target lists it; --method chooses it too"`
	Tokenizer     string          `toml:"tokenizer" path:"model" resume:"free" help:"file or run folder of the tokenizer"`
	FromTokenizer bool            `toml:"from_tokenizer" absent:"false" help:"where init_from is empty, the run starts as the tokenizer's encoder"`
	ShuffleCodes  bool            `toml:"shuffle_codes" help:"a control: codes are exchanged between all patches of the data set"`
	Visible       float64         `toml:"visible" absent:"0" help:"weight of the loss of patches that are not masked, beside that of masked ones; 0: none, as in the paper; not used where feature_loss is not masked"`
	FeatureLoss   string          `toml:"feature_loss" oneof:"masked all all+cls" absent:"masked" help:"with target features, the loss is the mean over the masked patches, over all patches, or over all patches and [CLS], which is to be the teacher's; the last with teachers clip and dino"`
	Mask          beit.MaskConfig `toml:"mask"`
	Model         beit.MIMConfig  `toml:"model"`
}

// SectionOf returns the section of a backbone's configuration.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "pretrain.model.vit", m.ViT)
	k.Numbers("pretrain.model.vocab", m.Vocab, m.ViT.Width)
	k.Must(m.Aggregation.Depth <= config.MostBlocks, "pretrain.model.aggregation.depth = %d: must be at most %d", m.Aggregation.Depth, config.MostBlocks)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	k.OneOf("pretrain.target", s.Target, target.Names()...)
	kind, _ := target.Find(s.Target)
	vqkd := kind.Tokenizer == weights.Tokenizer
	k.Must(!s.ShuffleCodes || kind.Codes, "pretrain.shuffle_codes: pretrain.target = %q has no codes", s.Target)
	k.Must(s.over() == beit.OverMasked || kind.Class, "pretrain.feature_loss = %q: pretrain.target = %q has no features", s.FeatureLoss, s.Target)
	k.Must(!s.ShuffleCodes || vqkd, "pretrain.shuffle_codes: must be false with pretrain.target = %q: only the codes of a VQ-KD tokenizer are shuffled", s.Target)
	k.Must(!s.FromTokenizer || vqkd, "pretrain.from_tokenizer: must be false with pretrain.target = %q, which has no tokenizer with blocks to start from", s.Target)
	k.Must(s.Tokenizer == "" || kind.Tokenizer != "", "pretrain.tokenizer = %q: must be empty with pretrain.target = %q, which learns from none", s.Tokenizer, s.Target)
	k.Must(kind.View == nil || c.Data.Augment != config.AugmentPad, "data.augment = %q: must be %q or %q with pretrain.target = %q, which sees images of another size",
		c.Data.Augment, config.AugmentCrop, config.AugmentNone, s.Target)
	k.Must(s.Visible >= 0 && s.Visible <= 1, "pretrain.visible = %g: must be in [0, 1]", s.Visible)
	k.Part("pretrain.model", m.Check())
	s.checkMask(k)
	method.CheckRGB(c, k, "pretrain.model.vit", m.ViT)
	method.CheckPad(c, k, m.ViT.ImageSize)
}

// Values of pretrain.feature_loss.
const (
	overMasked = "masked"
	overAll    = "all"
	overAllCLS = "all+cls"
)

// over is which tokens the MIM head's loss is the mean of.
func (s *Section) over() beit.MIMTokens {
	return map[string]beit.MIMTokens{overMasked: beit.OverMasked, overAll: beit.OverAll, overAllCLS: beit.OverAllCLS}[s.FeatureLoss]
}

func (s *Section) checkMask(k *config.Checker) {
	m := s.Mask
	if v := s.Model.ViT; v.PatchSize > 0 && v.Square() {
		grid := v.Grid()
		k.Must(m.Rows == grid && m.Cols == grid, "pretrain.mask.rows = %d, pretrain.mask.cols = %d: must both be %d, as many as the model's patches",
			m.Rows, m.Cols, grid)
	}
	k.Must(m.Count >= 1 && m.Count < m.Rows*m.Cols, "pretrain.mask.count = %d: must be in 1 … %d", m.Count, m.Rows*m.Cols-1)
	k.Must(m.MinBlock >= 1, "pretrain.mask.min_block = %d: must be at least 1", m.MinBlock)
	k.Must(m.MaxBlock >= 0, "pretrain.mask.max_block = %d: must be at least 0", m.MaxBlock)
}

// LargestView is what the network sees, or its tokenizer: DALL-E's encoder sees more where patches are smaller than its own.
func (s *Section) LargestView() int {
	side := s.Model.ViT.ImageSize
	if kind, _ := target.Find(s.Target); kind.View != nil {
		side = max(side, kind.View(s.Model.ViT.Grid()).Size)
	}
	return side
}

// Derive makes the mask's grid the model's.
func (s *Section) Derive() {
	if s.Model.ViT.PatchSize > 0 {
		s.Mask.Rows, s.Mask.Cols = s.Model.ViT.GridSize()
	}
}
