package weights

import (
	"cmp"
	"slices"
	"strings"
)

// wrappers are parts that wrappers of modules put into names, anywhere: of
// DataParallel, torch.compile, FSDP and activation checkpointing.
var wrappers = strings.Fields("module _orig_mod _fsdp_wrapped_module _checkpoint_wrapped_module _forward_module")

// owners are parts before all names of a model that is an attribute of something
// larger, in order of preference where a file has several models: an average
// before what it averages.
var owners = strings.Fields("model net network base_model vit vision_transformer visual_encoder image_encoder clip clip_model target_encoder encoder backbone " +
	"base_encoder encoder_q online_encoder model_ema ema_model ema teacher teacher_model student student_model momentum_encoder encoder_k")

// anchors are the names that tell where a model begins: its patch embedding, in the
// authors' names, Hugging Face's and CLIP's.
var anchors = []string{
	"patch_embed.proj.weight", "beit." + anchorHF, "vit." + anchorHF, anchorHF, "visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight",
}

const anchorHF = "embeddings.patch_embeddings.projection.weight"

// unwrapped is a name without the parts of wrappers.
func unwrapped(name string) string {
	if !slices.ContainsFunc(wrappers, func(w string) bool { return strings.Contains(name, w+".") }) {
		return name
	}
	parts := slices.DeleteFunc(strings.Split(name, "."), func(p string) bool { return slices.Contains(wrappers, p) })
	return strings.Join(parts, ".")
}

// mostHomes is how many models in a file are told apart: far above what scripts save.
const mostHomes = 64

// wrappersIn returns the wrappers that have put parts into names.
func wrappersIn(names []string) []string {
	return slices.DeleteFunc(slices.Clone(wrappers), func(w string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, w+".") || strings.Contains(n, "."+w+".") })
	})
}

// homesOf returns the prefixes under which models stand in a file with these names,
// the preferred first. They end with a dot, or are empty.
func homesOf(names []string) []string {
	var homes []string
	found := 0
	for _, name := range names {
		prefix, ok := beforeAnchor(name)
		if !ok {
			continue
		}
		if found++; found > mostHomes {
			break
		}
		if prefix = whole(prefix, names); !slices.Contains(homes, prefix) {
			homes = append(homes, prefix)
		}
	}
	slices.SortFunc(homes, func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int { return cmp.Or(cmp.Compare(ownerRank(x), ownerRank(y)), cmp.Compare(x, y)) })
	})
	return homes
}

// beforeAnchor is what stands before an anchor in a name that ends with one.
func beforeAnchor(name string) (string, bool) {
	for _, anchor := range anchors {
		prefix, ok := strings.CutSuffix(name, anchor)
		if ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			return prefix, true
		}
	}
	return "", false
}

// ownerRank is the place of a part among the owners: before them all for the end of a prefix, and behind them for others.
func ownerRank(part string) int {
	switch i := slices.Index(owners, part); {
	case part == "":
		return -1
	case i >= 0:
		return i
	}
	return len(owners)
}

// whole returns the prefix of the model that a network at a prefix is part of: that
// of a tokenizer, whose encoder it is, or of a segmenter, whose backbone it is.
func whole(prefix string, names []string) string {
	for part, others := range map[string][]string{
		"decoder.":  {"quantize.", "encode_task_layer.", "decode_task_layer."},
		"encoder.":  {"quantize.", "encode_task_layer.", "decode_task_layer.", "decoder.patch_embed."},
		"backbone.": {"decode_head.", "auxiliary_head.", "backbone.fpn"},
	} {
		outer, ok := strings.CutSuffix(prefix, part)
		if ok && slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, outer) && hasPrefix(n[len(outer):], others) }) {
			return outer
		}
	}
	return prefix
}

// owned reports whether all parts of a prefix are those of owners.
func owned(prefix string) bool {
	return prefix == "" || !slices.ContainsFunc(strings.Split(strings.TrimSuffix(prefix, "."), "."), func(p string) bool { return !slices.Contains(owners, p) })
}

// home is where the model of a file stands.
type home struct {
	prefix string
	rivals []string // prefixes of other models in the file
}

// findHome returns where the preferred model stands.
func findHome(names []string) home {
	homes := homesOf(names)
	if len(homes) == 0 || !owned(homes[0]) && !most(names, homes[0]) {
		return home{}
	}
	h := home{prefix: homes[0]}
	for _, other := range homes[1:] {
		h.rivals = append(h.rivals, apart(h.prefix, other))
	}
	slices.Sort(h.rivals)
	h.rivals = slices.Compact(h.rivals)
	return h
}

// most reports whether most names begin with a prefix: it may be of any name then.
func most(names []string, prefix string) bool {
	n := 0
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return 2*n > len(names)
}

// apart is other up to and including the first part in which it differs from
// prefix.
func apart(prefix, other string) string {
	at := 0
	for at < len(other) {
		next := at + strings.IndexByte(other[at:], '.') + 1
		if !strings.HasPrefix(prefix, other[:next]) {
			return other[:next]
		}
		at = next
	}
	return other
}

// rest is a name without the prefix of the model; false where it is another one's.
// known reports whether the model has a tensor of a name. A name that lacks the
// prefix, or a part of it, belongs to the model if it has the rest.
func (h home) rest(name string, known func(string) bool) (string, bool) {
	if hasPrefix(name, h.rivals) { // first: a rival may stand under the prefix
		return "", false
	}
	if after, ok := strings.CutPrefix(name, h.prefix); ok && h.prefix != "" {
		return after, true
	}
	for after := name; ; {
		if known(after) {
			return after, true
		}
		owner, next, ok := strings.Cut(after, ".")
		if !ok || !slices.Contains(owners, owner) {
			return name, h.prefix == ""
		}
		after = next
	}
}

// inside returns the names of the preferred model's tensors, without the prefix.
// Names that lack it are among them as they are, unless they are a rival's.
func (h home) inside(names []string) (list []string) {
	for _, name := range names {
		if !hasPrefix(name, h.rivals) {
			list = append(list, strings.TrimPrefix(name, h.prefix))
		}
	}
	return list
}
