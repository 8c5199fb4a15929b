package weights_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// deeper are blocks after the second.
var deeper = regexp.MustCompile(`(blocks|encoder\.layers?)\.([2-9]|1\d)\.`)

// shrunk makes a file small: two blocks, and every width of the published sizes by a tenth or so, keeping what belongs together.
func shrunk(l list) list {
	small := map[int]int{768: 64, 2304: 192, 3072: 256, 512: 32, 1000: 7, 8192: 11, 732: 28, 197: 10, 49408: 5, 2048: 128, 3840: 320, 3972: 28, 1025: 10}
	var out list
	for _, t := range l {
		if deeper.MatchString(t.Name) {
			continue
		}
		if strings.Contains(t.Name, "relative_position_index") {
			t.Shape = []int{10, 10}
		} else {
			t.Shape = slices.Clone(t.Shape)
			for i, n := range t.Shape {
				if to, ok := small[n]; ok {
					t.Shape[i] = to
				}
				if strings.HasSuffix(t.Name, "bias_table") && i == 1 {
					t.Shape[i] = 1
				}
				if n == 16 && i > 1 {
					t.Shape[i] = 4
				}
			}
		}
		out = append(out, t)
	}
	fillRandomly(out, 7)
	for i := range out {
		if strings.Contains(out[i].Name, "relative_position_index") {
			out[i].Read = indexOf3x3
		}
	}
	return out
}

// indexOf3x3 is the index of a window of 3 x 3 patches.
func indexOf3x3() ([]byte, error) {
	var b []byte
	for _, v := range nn.RelPosIndex(3, 3) {
		b = append(b, byte(v), 0, 0, 0, 0, 0, 0, 0)
	}
	return b, nil
}

func writeList(t testing.TB, name, container string, l list) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	err := state.WriteFileAtomic(path, func(w io.Writer) error {
		if strings.HasSuffix(name, ".pth") {
			return state.WriteTorch(w, container, l)
		}
		return state.WriteSafetensors(w, nil, l)
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func convert(t *testing.T, from, name string, to weights.Naming) (path string, dropped []string) {
	t.Helper()
	m, err := weights.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	path = filepath.Join(t.TempDir(), name)
	written, dropped, err := m.Convert(t.Context(), path, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(contents(t, path)); written != n {
		t.Errorf("says that %d tensors were written, there are %d", written, n)
	}
	return path, dropped
}

// contents are the types, shapes and bytes of a file's tensors.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]string{}
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		b, err := f.Bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = fmt.Sprintf("%s %v %x", e.DType, e.Shape, sha256.Sum256(b))
	}
	return all
}

// Tensors converted from the authors' names to timm's, to Hugging Face's and back keep their bytes. Those that Hugging Face does not have
// are reported.
func TestRoundTrips(t *testing.T) {
	for _, c := range []struct {
		name    string
		list    list
		steps   []weights.Naming
		dropped string // part of names that Hugging Face has no place for
	}{
		{"classifier", classifier(base, 1000, true), []weights.Naming{weights.TIMM, weights.HF}, ""},
		{"mim", pretrained(base).without("cls_pt"), []weights.Naming{weights.TIMM, weights.HF}, ""},
		{"mim with aggregation", pretrained(base), []weights.Naming{weights.TIMM, weights.HF}, "cls_pt"},
		{"segmenter", segmenter(size{768, 12, 12, 16, 32}), []weights.Naming{weights.HF}, ""},
		{"dino", dino(), []weights.Naming{weights.TIMM, weights.HF}, ""},
		{"clip", clip(), []weights.Naming{weights.HF}, ""},
		{"tokenizer", tokenizer(1, 512), nil, ""},
		{"DALL-E's encoder", dalle(), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, end := range []string{".safetensors", ".pth"} {
				start := writeList(t, "start"+end, "model", shrunk(c.list))
				path := start
				for _, to := range append(c.steps, weights.Official) {
					next, dropped := convert(t, path, string(to)+end, to)
					path = next
					if slices.ContainsFunc(dropped, func(n string) bool { return c.dropped == "" || !strings.HasPrefix(n, c.dropped) }) {
						t.Errorf("to %s: dropped %v", to, dropped)
					}
					if to == weights.HF && (len(dropped) > 0) != (c.dropped != "") {
						t.Errorf("to %s: dropped %v", to, dropped)
					}
				}
				want := contents(t, start)
				for name := range want {
					if c.dropped != "" && strings.HasPrefix(name, c.dropped) || c.name == "clip" && !strings.HasPrefix(name, "visual.") {
						delete(want, name)
					}
				}
				if diff := cmp.Diff(want, contents(t, path)); diff != "" || len(want) == 0 {
					t.Error(diff)
				}
			}
		})
	}
}

// Names at Hugging Face are those that its own files have.
func TestHuggingFaceNames(t *testing.T) {
	for name, c := range map[string]struct{ from, want list }{
		"beit": {classifier(base, 1000, false), beitHF(base, 1000).without("position_index")},
		"clip": {clip(), clipHF().without("text").without("position_ids").without("logit")},
		"dino": {dino(), dinoHF().without("pooler")},
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := convert(t, writeList(t, "x.safetensors", "", shrunk(c.from)), "hf.safetensors", weights.HF)
			var want []string
			for _, n := range shrunk(c.want) {
				want = append(want, n.Name)
			}
			slices.Sort(want)
			f, err := state.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if diff := cmp.Diff(want, f.Names()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoSuchNames(t *testing.T) {
	for _, c := range []struct {
		l  list
		to weights.Naming
	}{{tokenizer(1, 512), weights.HF}, {tokenizer(1, 512), weights.TIMM}, {clip(), weights.TIMM}} {
		m, err := weights.Open(writeList(t, "x.safetensors", "", shrunk(c.l)))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "out.safetensors")
		if _, _, err := m.Convert(t.Context(), path, c.to, nil); err == nil || !strings.Contains(err.Error(), "has no") {
			t.Errorf("%s to %s: %v", m.Kind, c.to, err)
		}
		m.Close()
	}
}

// changedList returns l with the tensor of that name changed.
func changedList(l list, name string, change func(*state.Named)) list {
	for i := range l {
		if l[i].Name == name {
			change(&l[i])
		}
	}
	return l
}

// Errors for bad files have name and reason, and come before memory for the network is allocated.
func TestRefused(t *testing.T) {
	shape := func(s ...int) func(*state.Named) {
		return func(n *state.Named) {
			n.Shape, n.Read, n.Raw = s, nil, make([]byte, n.DType.Size()*state.Entry{Shape: s}.Len())
		}
	}
	raw := func(value float32) func(*state.Named) {
		return func(n *state.Named) {
			v := make([]float32, state.Entry{Shape: n.Shape}.Len())
			v[len(v)/2] = value
			n.Read, n.Float32s = nil, v
		}
	}
	tiny := func() list { return shrunk(classifier(base, 1000, true)) }
	for name, c := range map[string]struct {
		l    list
		want string
	}{
		"nothing":        {shrunk(list{{Name: "x", DType: state.F32, Shape: []int{2}}}), "no model"},
		"missing":        {tiny().without("blocks.1.norm1.bias"), "blocks.1.norm1.bias"},
		"unexpected":     {append(tiny(), shrunk(list{{Name: "blocks.1.more", DType: state.F32, Shape: []int{2}}})...), "blocks.1.more"},
		"another shape":  {changedList(tiny(), "blocks.1.mlp.fc2.bias", shape(3)), "blocks.1.mlp.fc2.bias"},
		"depth":          {append(tiny(), shrunk(list{{Name: "blocks.999999.norm1.weight", DType: state.F32, Shape: []int{2}}})...), "missing"},
		"not a number":   {changedList(tiny(), "blocks.1.mlp.fc1.weight", raw(float32(math.NaN()))), "element 8192 is NaN"},
		"infinite":       {changedList(tiny(), "head.bias", raw(float32(math.Inf(-1)))), "element 3 is -Inf"},
		"two windows":    {changedList(tiny().without("index"), "blocks.1.attn.relative_position_bias_table", shape(49+3, 1)), "two sizes"},
		"huge window":    {changedList(tiny().without("index"), "blocks.0.attn.relative_position_bias_table", shape(201*201+3, 1)), "is not plausible"},
		"no thirds":      {changedList(shrunk(dinoHF()), "encoder.layer.0.attention.attention.key.weight", shape(3, 64)), "differ in shape or type"},
		"two thirds":     {shrunk(dinoHF()).without("layer.0.attention.attention.key.weight"), "differ in shape or type"},
		"a stranger":     {append(shrunk(beitHF(base, 1000)), shrunk(list{{Name: "beit.more", DType: state.F32, Shape: []int{2}}})...), "beit.more"},
		"empty shapes":   {changedList(tiny(), "patch_embed.proj.weight", shape(0, 0, 0, 0)), ""},
		"no decoder":     {shrunk(tokenizer(1, 512)).without("decoder"), "decoder"},
		"grey tokenizer": {changedList(shrunk(tokenizer(1, 512)), "encoder.patch_embed.proj.weight", shape(64, 1, 4, 4)), "images have 1 channels"},
		"many channels":  {changedList(tiny(), "patch_embed.proj.weight", shape(64, 17, 4, 4)), "images have 17 channels"},
		"oblong patches": {changedList(tiny(), "patch_embed.proj.weight", shape(64, 3, 4, 8)), "square patches"},
		"huge patches":   {changedList(tiny(), "patch_embed.proj.weight", shape(64, 3, 300, 300)), "at most 256"},
		"huge images":    {changedList(changedList(tiny().without("index"), "blocks.0.attn.relative_position_bias_table", shape(15*15+3, 1)), "patch_embed.proj.weight", shape(1, 3, 256, 256)), "images of 2048 x 2048"},
		"many heads":     {changedList(tiny().without("index"), "blocks.0.attn.relative_position_bias_table", shape(127*127+3, 64)), "attention of 64 heads"},
		"two tables":     {append(tiny(), shrunk(list{{Name: "rel_pos_bias.relative_position_bias_table", DType: state.F32, Shape: []int{28, 1}}})...), "there are both"},
		"of which width": {changedList(shrunk(dino()), "patch_embed.proj.weight", shape(63, 3, 4, 4)), "no multiple of 64"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeList(t, "x.pth", "model", c.l)
			m, err := weights.Open(path)
			if err == nil {
				defer m.Close()
				_, _, err = m.Build(cpu)
			}
			if err == nil {
				t.Fatal("was loaded")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q does not name the file and %q", err, c.want)
			}
		})
	}
}

// A tokenizer's encoder leaves out more tensors than the tokenizer, which does not change.
func TestBackboneLeavesModelAlone(t *testing.T) {
	m, err := weights.Open(writeList(t, "x.pth", "model", shrunk(selfTrained(tokenizer(1, 512)))))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	before := slices.Clone(m.LeftOut)
	m.LeftOut = append(make([]string, 0, 1000), before...) // with room behind it
	b, err := m.Backbone()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, m.LeftOut) || len(b.LeftOut) <= len(before) {
		t.Errorf("left out were %d names, now %d, by the encoder %d", len(before), len(m.LeftOut), len(b.LeftOut))
	}
	if room := m.LeftOut[:len(before)+1]; room[len(before)] != "" {
		t.Errorf("%q was written behind the list", room[len(before)])
	}
}

// A network saved from DataParallel is the same model.
func TestWrappedNames(t *testing.T) {
	for _, l := range []list{shrunk(dino()), shrunk(beitModelHF(base))} {
		for i := range l {
			l[i].Name = "module." + l[i].Name
		}
		m, err := weights.Open(writeList(t, "x.pth", "", l))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if _, set, err := m.Build(cpu); err != nil {
			t.Error(err)
		} else {
			set.Release()
		}
	}
}

// Joint and transposed tensors have the same values under Hugging Face's and the authors' names.
func TestHuggingFaceValues(t *testing.T) {
	for name, l := range map[string]list{"clip": clip(), "dino": dino(), "beit": classifier(base, 1000, true)} {
		t.Run(name, func(t *testing.T) {
			start := writeList(t, "x.safetensors", "", shrunk(l))
			hf, _ := convert(t, start, "hf.safetensors", weights.HF)
			var sets []*nn.Set
			for _, path := range []string{start, hf} {
				m, err := weights.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				_, set, err := m.Build(cpu)
				if err != nil {
					t.Fatal(err)
				}
				defer set.Release()
				sets = append(sets, set)
			}
			for _, p := range sets[0].Params() {
				if !slices.Equal(p.Value.Float32s(), sets[1].Lookup(p.Name).Value.Float32s()) {
					t.Errorf("%s differs", p.Name)
				}
			}
		})
	}
}

// FuzzModel opens files with arbitrary names and shapes; all values are zeros.
func FuzzModel(f *testing.F) {
	for _, l := range []list{shrunk(classifier(base, 1000, true)), shrunk(beitHF(base, 1000)), shrunk(dinoHF()), shrunk(clip()), shrunk(tokenizer(1, 512)), shrunk(dalle())} {
		var text strings.Builder
		for _, n := range l {
			fmt.Fprintln(&text, n.Name, strings.Trim(fmt.Sprint(n.Shape), "[]"))
		}
		f.Add(text.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		var l list
		seen := map[string]bool{}
		for line := range strings.Lines(text) {
			fields := strings.Fields(line)
			if len(fields) == 0 || seen[fields[0]] || len(l) > 60 {
				continue
			}
			seen[fields[0]] = true
			n := state.Named{Name: fields[0], DType: state.F16}
			for _, s := range fields[1:] {
				var size int
				fmt.Sscan(s, &size)
				n.Shape = append(n.Shape, size&0xff)
			}
			elements := state.Entry{Shape: n.Shape}.Len()
			if len(n.Shape) > 5 || elements > 1<<14 {
				return
			}
			n.Raw = make([]byte, 2*elements)
			l = append(l, n)
		}
		var b bytes.Buffer
		if err := state.WriteSafetensors(&b, nil, l); err != nil {
			return
		}
		file, err := state.ReadSafetensors(bytes.NewReader(b.Bytes()), int64(b.Len()), "x.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		m, err := weights.FromFile(file)
		if err != nil {
			if !strings.Contains(err.Error(), "x.safetensors") {
				t.Errorf("error does not name the file: %v", err)
			}
			return
		}
		if _, set, err := m.Build(cpu); err == nil {
			set.Release()
		}
		for _, to := range []weights.Naming{weights.Official, weights.TIMM, weights.HF} {
			if named, _, err := m.Tensors(to); err == nil {
				for _, n := range named {
					if _, err := n.Read(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
