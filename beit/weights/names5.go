package weights

import (
	"slices"
	"strings"
)

// inLayer5 are the names in a layer of transformers 5, as first of a pair, and those
// of the files that it and earlier versions write.
var inLayer5 = []pair{
	{"attention.q_proj.", "attention.attention.query."}, {"attention.k_proj.", "attention.attention.key."},
	{"attention.v_proj.", "attention.attention.value."}, {"attention.o_proj.", "attention.output.dense."},
	{"mlp.fc1.", "intermediate.dense."}, {"mlp.fc2.", "output.dense."},
	{"relative_position_bias.", "attention.attention.relative_position_bias."},
}

// outside5 are those of the neck and the heads of a segmenter.
var outside5 = []pair{
	{"fpn.fpn1.conv_transpose1.", "fpn1.0."}, {"fpn.fpn1.normalization.", "fpn1.1."}, {"fpn.fpn1.conv_transpose2.", "fpn1.3."}, {"fpn.fpn2.", "fpn2.0."},
	{"decode_head.psp_bottleneck.", "decode_head.bottleneck."},
}

// fromHF5 returns the name in a file for a name that transformers 5 has in memory,
// and writes where save_original_format is off. Other names stay.
func fromHF5(name string) string {
	for rest := name; ; {
		if to, ok := fileName(rest); ok {
			return name[:len(name)-len(rest)] + to
		}
		owner, after, ok := strings.Cut(rest, ".")
		if !ok || owner == "encoder" || owner != "beit" && owner != "vit" && !slices.Contains(owners, owner) {
			return name // "encoder." stands in the names of the files
		}
		rest = after
	}
}

// fileName is fromHF5 for a name without the parts before it.
func fileName(name string) (string, bool) {
	first, file := official, hf // of a pair
	if number, inner, ok := inBlock(name, "layers."); ok {
		if to, ok := replace(inner, inLayer5, first, file); ok {
			inner = to
		}
		return "encoder.layer." + number + inner, true
	}
	if strings.HasPrefix(name, "relative_position_bias.") {
		return "encoder." + name, true
	}
	if to, ok := replace(name, outside5, first, file); ok {
		return parts5(to), true
	}
	return parts5(name), hasPrefix(name, []string{"decode_head.", "auxiliary_head."})
}

// parts5 replaces the names of parts of a convolution.
func parts5(name string) string {
	if rest, ok := strings.CutPrefix(name, "decode_head.psp_modules.blocks."); ok {
		number, inner, _ := strings.Cut(rest, ".conv.")
		name = "decode_head.psp_modules." + number + ".1." + inner
	}
	return strings.NewReplacer(".convolution.", ".conv.", ".normalization.", ".bn.").Replace(name)
}
