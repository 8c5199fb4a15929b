package state

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dalleFiles are a tiny encoder of DALL-E as torch.save writes the whole module, in both of its formats, and its state dict.
func dalleFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"encoder_legacy.pkl", "encoder_zip.pkl", "encoder_state_dict.pth"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "beit", "testdata", "oracle-methods", "dalle", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	return files
}

// DALL-E's encoder is published as a whole module. Its tensors are those of the state dict, bit for bit.
func TestDALLEModule(t *testing.T) {
	files := dalleFiles(t)
	want, err := openBytes(t, files["encoder_state_dict.pth"])
	if err != nil {
		t.Fatal(err)
	}
	if n := len(want.Names()); n != 74 {
		t.Errorf("the state dict has %d tensors", n)
	}
	for _, name := range []string{"encoder_legacy.pkl", "encoder_zip.pkl"} {
		got, err := openBytes(t, files[name])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.Names(), got.Names()); d != "" {
			t.Fatalf("%s: names (-want +got):\n%s", name, d)
		}
		for _, tensor := range want.Names() {
			we, _ := want.Entry(tensor)
			ge, _ := got.Entry(tensor)
			w, err1 := want.Bytes(tensor)
			g, err2 := got.Bytes(tensor)
			if err1 != nil || err2 != nil || we.DType != ge.DType || !cmp.Equal(we.Shape, ge.Shape) || !bytes.Equal(w, g) {
				t.Errorf("%s: %s differs: %v %v", name, tensor, err1, err2)
			}
		}
	}
}

// A key chooses among the tensors of a whole module by how their names begin, or is refused.
func TestKeyOfModule(t *testing.T) {
	b := dalleFiles(t)["encoder_legacy.pkl"]
	f, err := Options{Key: "blocks.group_1"}.read(bytes.NewReader(b), int64(len(b)), "x.pkl")
	if err != nil || len(f.Names()) != 16 {
		t.Errorf("a key within: %v, error %v", f, err)
	}
	if _, err := (Options{Key: "student"}).read(bytes.NewReader(b), int64(len(b)), "x.pkl"); err == nil || !strings.Contains(err.Error(), `no tensors under the key "student"`) {
		t.Errorf("a key that is not there: error %v", err)
	}
}

// moduleOf is the pickle of a module of a class with parameters and modules within it.
func moduleOf(class, parameters, modules string) string {
	at := strings.LastIndex(class, ".")
	state := dictOf(text("_parameters"), parameters, text("_modules"), modules, text("training"), "\x88")
	return "c" + class[:at] + "\n" + class[at+1:] + "\n)\x81" + state + "b"
}

const (
	dalleEncoder = "dall_e.encoder.Encoder"
	dalleConv    = "dall_e.utils.Conv2d"
	sequential   = "torch.nn.modules.container.Sequential"
)

// Only modules whose state_dict() is known are read, and of these tensors alone. Every refusal is one line.
func TestRefusedModules(t *testing.T) {
	w := tensorOf(6, 0, []int{6}, []int{1})
	conv := moduleOf(dalleConv, dictOf(text("w"), w), "}")
	for _, c := range []struct{ name, pickle, want string }{
		{"another class", moduleOf("dall_e.decoder.Decoder", "}", dictOf(text("a"), conv)), `holds a whole module, of class "dall_e.decoder.Decoder"`},
		{"another class within", moduleOf(dalleEncoder, "}", dictOf(text("a"), moduleOf("evil.Net", dictOf(text("w"), w), "}"))), `"a." is of class "evil.Net"`},
		{"a call within", moduleOf(dalleEncoder, "}", dictOf(text("a"), "cos\nsystem\n"+tuple(text("true"))+"R")), "it is an attack; nothing was run"},
		{"a call for a parameter", moduleOf(dalleEncoder, dictOf(text("w"), "cmy\nmake\n)R"), "}"), `a parameter of the module "" is no tensor`},
		{"a number for a parameter", moduleOf(dalleEncoder, dictOf(text("w"), number(3)), "}"), "is no tensor"},
		{"a number for a name", moduleOf(dalleEncoder, dictOf(number(3), w), "}"), "is no tensor"},
		{"a number for a module", moduleOf(dalleEncoder, "}", dictOf(text("a"), number(3))), "has a part that is no module"},
		{"a module without parts", moduleOf(dalleEncoder, "}", dictOf(text("a"), "c"+"dall_e.utils\nConv2d\n)\x81")), "has a part that is no module"},
		{"in itself", "cdall_e.encoder\nEncoder\n)\x81q\x64" + dictOf(text("_parameters"), "}", text("_modules"), dictOf(text("a"), "h\x64")) + "b", "dicts lie within one another too often"},
		{"past the storage", moduleOf(dalleEncoder, dictOf(text("w"), tensorOf(6, 0, []int{7}, []int{1})), "}"), "reaches past the 6 elements"},
		{"a long name", moduleOf(dalleEncoder, "}", dictOf(text(strings.Repeat("a", maxName+1)), conv)), "at most 1024 are sensible"},
		{"many times", sharedModules(20), "four times as many bytes"},
	} {
		_, err := openBytes(t, torchZip(t, program(c.pickle), map[string][]byte{"0": make([]byte, 24)}))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", c.name, err, c.want)
		}
	}
}

// sharedModules is a module that has another twice, which has another twice, and so on.
func sharedModules(depth int) string {
	inner := moduleOf(dalleConv, "}", "}")
	for range depth {
		inner = moduleOf(sequential, "}", dictOf(text("a"), inner+"q\x64", text("b"), "h\x64"))
	}
	return moduleOf(dalleEncoder, "}", dictOf(text("a"), inner))
}

// A module that is cut off anywhere, or has any one bit changed in what describes it, gives an error of one line or other numbers, and no panic.
func TestDamagedModules(t *testing.T) {
	for name, whole := range dalleFiles(t) {
		for at := 0; at < len(whole); at += 997 {
			if _, err := openBytes(t, whole[:at]); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s cut at %d: error %v", name, at, err)
			}
		}
		for at := 0; at < min(len(whole), 40_000); at += 211 {
			b := bytes.Clone(whole)
			b[at] ^= 1 << (at % 8)
			fuzzTorch(t, b, Options{}.read)
		}
	}
}
