package state

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// openBytes opens what a file with these bytes would be.
func openBytes(t testing.TB, b []byte) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pth")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err == nil {
		t.Cleanup(func() { f.Close() })
	} else if !strings.HasPrefix(err.Error(), "state: "+path+": ") {
		t.Errorf("error does not name the file: %v", err)
	}
	return f, err
}

// ownCheckpoints is the folder of checkpoints in the project's own reference data.
var ownCheckpoints = filepath.Join("..", "..", "beit", "testdata", "oracle", "checkpoints")

// oracleCheckpoints is the folder of checkpoints in the reference data that BEIT_ORACLE names, or in the project's own.
func oracleCheckpoints() string {
	dir := os.Getenv("BEIT_ORACLE")
	switch {
	case dir == "":
		return ownCheckpoints
	case !filepath.IsAbs(dir):
		dir = filepath.Join("..", "..", dir)
	}
	return filepath.Join(dir, "checkpoints")
}

// twin is the file of the same tensors as a checkpoint in plain form.
func twin(path string) string {
	base := strings.TrimSuffix(path, filepath.Ext(path))
	base = strings.TrimSuffix(strings.TrimSuffix(base, "_zip"), "_legacy")
	return base + ".safetensors"
}

// Every tensor of the model has the same type, shape and bytes as PyTorch wrote to the plain file beside it.
func TestOracleCheckpoints(t *testing.T) {
	dir := oracleCheckpoints()
	files, err := filepath.Glob(filepath.Join(dir, "*.pt*"))
	if len(files) == 0 && err == nil && dir != ownCheckpoints {
		t.Skipf("the set has no checkpoints: %s", dir)
	}
	if err != nil || len(files) == 0 {
		t.Fatalf("no checkpoints in %s: %v", dir, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want, err := OpenSafetensors(twin(path))
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			prefix := ""
			if container := f.Metadata()[MetaContainer]; container != "" {
				prefix = container + "/"
				if left := f.Metadata()[MetaLeftOut]; left != "optimizer, args, scaler" {
					t.Errorf("left out are %q", left)
				}
				if epoch := f.Metadata()[MetaBeside+"epoch"]; epoch != want.Metadata()["epoch"] {
					t.Errorf("epoch %q, want %q", epoch, want.Metadata()["epoch"])
				}
			}
			var names []string
			for _, name := range want.Names() {
				if rest, ok := strings.CutPrefix(name, prefix); ok {
					names = append(names, rest)
				}
			}
			if diff := cmp.Diff(names, f.Names()); diff != "" || len(names) == 0 {
				t.Fatalf("names: %s", diff)
			}
			for _, name := range names {
				sameTensor(t, f, name, want, prefix+name)
			}
		})
	}
}

func sameTensor(t *testing.T, f *File, name string, want *File, wantName string) {
	t.Helper()
	got, _ := f.Entry(name)
	e, _ := want.Entry(wantName)
	if got.DType != e.DType || !slices.Equal(got.Shape, e.Shape) {
		t.Errorf("%s: %s %v, want %s %v", name, got.DType, got.Shape, e.DType, e.Shape)
		return
	}
	a, err := f.Bytes(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Bytes(wantName)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s: bytes differ", name)
	}
	wide, err := want.Float32s(wantName)
	if err != nil {
		t.Fatal(err)
	}
	var reader TensorReader
	err = reader.Float32s(f, name, func(v []float32) error {
		if !slices.Equal(v, wide) {
			t.Errorf("%s: values differ", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What the training script saved besides tensors is described in the plain file's metadata; it must not be mistaken for weights.
func TestOptimizerStateIsLeftOut(t *testing.T) {
	f, err := Open(filepath.Join(ownCheckpoints, "float32_zip.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		if strings.Contains(name, "exp_avg") {
			t.Errorf("%s is a tensor of the file", name)
		}
	}
	plain, err := OpenSafetensors(filepath.Join(ownCheckpoints, "float32.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	var order []string
	if err := json.Unmarshal([]byte(plain.Metadata()["key_order"]), &order); err != nil {
		t.Fatal(err)
	}
	slices.Sort(order)
	if diff := cmp.Diff(order, f.Names()); diff != "" {
		t.Error(diff)
	}
}

// legacyMagic is how the old layout begins.
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

// torchZip builds an archive around a pickle and storages.
func torchZip(t testing.TB, pickle string, storages map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("data.pkl", []byte(pickle))
	for _, key := range sortedKeys(storages) {
		add("data/"+key, storages[key])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// text is a string of a pickle.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(n int) string {
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

func tuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

// tensorOf is the pickle of a tensor of float32 in storage "0" of n elements.
func tensorOf(n, first int, shape, strides []int) string {
	numbers := func(list []int) string {
		var s []string
		for _, v := range list {
			s = append(s, number(v))
		}
		return tuple(s...)
	}
	storage := tuple(text("storage"), "ctorch\nFloatStorage\n", text("0"), text("cpu"), number(n)) + "Q"
	return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(storage, number(first), numbers(shape), numbers(strides), "\x89", "}") + "R"
}

// dictOf is the pickle of a dict.
func dictOf(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

func program(value string) string { return "\x80\x02" + value + "." }

func TestHandWrittenZip(t *testing.T) {
	b := torchZip(t, program(dictOf(text("w"), tensorOf(6, 1, []int{2, 2}, []int{1, 3}))), map[string][]byte{
		"0": words(4, 0, 0x3f800000, 0x40000000, 0, 0x40400000, 0x40800000),
	})
	f, err := openBytes(t, b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Float32s("w")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{1, 3, 2, 4}, got); diff != "" {
		t.Error(diff)
	}
	if f.Format() != TorchZip {
		t.Errorf("format %s", f.Format())
	}
}

// bad are files that must be refused, with a word of the reason.
func badTorch(t testing.TB) map[string]struct {
	file []byte
	want string
} {
	type c = struct {
		file []byte
		want string
	}
	six := map[string][]byte{"0": make([]byte, 24)}
	whole := tensorOf(6, 0, []int{6}, []int{1})
	archive := func(value string) []byte { return torchZip(t, program(value), six) }
	cases := map[string]c{
		"calls system":         {archive("cposix\nsystem\n" + tuple(text("touch /tmp/x")) + "R"), "posix.system"},
		"calls eval":           {archive(dictOf(text("w"), whole, text("x"), "cbuiltins\neval\n"+tuple(text("1"))+"R")), "builtins.eval"},
		"stack global":         {archive(text("os") + text("system") + "\x93" + tuple(text("id")) + "R"), "os.system"},
		"calls a storage":      {archive("ctorch\nFloatStorage\n" + tuple(number(1)) + "R"), "is called"},
		"past the storage":     {archive(dictOf(text("w"), tensorOf(6, 1, []int{6}, []int{1}))), "reaches past"},
		"far strides":          {archive(dictOf(text("w"), tensorOf(6, 0, []int{2, 2}, []int{1 << 30, 1 << 30}))), "reaches past"},
		"negative stride":      {archive(dictOf(text("w"), tensorOf(6, 5, []int{2}, []int{-1}))), "backwards"},
		"negative size":        {archive(dictOf(text("w"), tensorOf(6, 0, []int{-2}, []int{1}))), "negative"},
		"storage too long":     {archive(dictOf(text("w"), tensorOf(7, 0, []int{6}, []int{1}))), "are there"},
		"missing storage":      {torchZip(t, program(dictOf(text("w"), whole)), nil), "missing"},
		"bomb of strides":      {archive(dictOf(text("w"), tensorOf(6, 0, []int{1 << 30, 1 << 10}, []int{0, 0}))), "four times"},
		"duplicate key":        {archive(dictOf(text("w"), whole, text("w"), whole)), "stands twice"},
		"cycle":                {archive("}q\x00" + text("self") + "h\x00s"), "too often"},
		"a list":               {archive("]"), "wanted is a state dict"},
		"length of 2^63":       {archive("\x8e\x00\x00\x00\x00\x00\x00\x00\x80"), "bytes follow"},
		"long text":            {archive("X\xff\xff\xff\x7f"), "bytes follow"},
		"unknown operation":    {archive("\xff"), "0xff"},
		"no end":               {torchZip(t, "\x80\x02}", six), "unexpected EOF"},
		"bytes after the end":  {torchZip(t, program("}")+"}", six), "follow the pickle"},
		"empty stack":          {archive("R"), "stack is empty"},
		"pops below a mark":    {archive("}(0"), "stack is empty"},
		"no mark":              {archive("t"), "no mark"},
		"memo":                 {archive("h\x07"), "nothing was stored"},
		"not utf-8":            {archive("X\x01\x00\x00\x00\xff"), "UTF-8"},
		"too many operations":  {archive("}" + strings.Repeat("N0", 1<<21)), "operations"},
		"no pickle":            {onlyFile(t, "x/y", zip.Store), "no data.pkl"},
		"compressed":           {onlyFile(t, "x/data.pkl", zip.Deflate), "compressed"},
		"two pickles":          {onlyFile(t, "x/data.pkl", zip.Store, "y/data.pkl"), "two files"},
		"truncated zip":        {archive(dictOf(text("w"), whole))[:300], "zip"},
		"legacy, cut":          {[]byte(legacyMagic), "EOF"},
		"legacy, other number": {[]byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x18."), "neither a safetensors file"},
		"legacy, calls":        {[]byte(legacyMagic + "\x80\x02M\xe9\x03." + program("}") + program("cos\nsystem\n"+tuple(text("id"))+"R")), "os.system"},
		"legacy, unlisted":     {[]byte(legacyMagic + "\x80\x02M\xe9\x03." + program("}") + program(dictOf(text("w"), whole)) + program("]")), "not in the list"},
		"legacy, version":      {[]byte(legacyMagic + "\x80\x02M\xe8\x03."), "version"},
		"legacy, big-endian":   {[]byte(legacyMagic + "\x80\x02M\xe9\x03." + program(dictOf(text("little_endian"), "\x89"))), "little-endian"},
	}
	cases["long name"] = c{archive(dictOf(text(strings.Repeat("a", 1<<20)), dictOf(text("b"), whole))), "more than 1024 bytes"}
	cases["long size"] = c{archive(dictOf(text("w"), tensorOf(6, 0, make([]int, 100), make([]int, 100)))), "describe no tensor"}
	cases["deep"] = c{archive(deepDict(100)), "too often"}
	cases["laughs"] = c{archive(laughs()), "too often"}
	cases["keys that are no names"] = c{archive(namelessKeys(1<<11, 1<<10)), "too often"}
	return cases
}

// deepDict is a dict in a dict in a dict …
func deepDict(n int) string {
	return strings.Repeat("}"+text("a"), n) + "N" + strings.Repeat("s", n)
}

// copies makes a dict of a list of n pairs, many times.
func copies(n, times int) string {
	var pairs strings.Builder
	for i := range n {
		pairs.WriteString(tuple(text(fmt.Sprint(i)), "N"))
	}
	return "](" + pairs.String() + "eq\x010ccollections\nOrderedDict\nq\x020" + strings.Repeat("h\x02h\x01\x85R0", times) + "}"
}

// sharedDicts is a dict that has the next one twice, and so on, around a value: 2^n names.
func sharedDicts(n int, value string) string {
	var b strings.Builder
	b.WriteString(value + "q\x640")
	for level := range n {
		inner := "h" + string(rune(100+level))
		b.WriteString("}" + text("a") + inner + "s" + text("b") + inner + "sq" + string(rune(101+level)) + "0")
	}
	return b.String() + "h" + string(rune(100+n))
}

// sharedText is what a training script saves with one text of n bytes under many keys.
func sharedText(n, keys int) string {
	var b strings.Builder
	b.WriteString(text(strings.Repeat("a", n)) + "q\x640}" + text("model") + "}s")
	for i := range keys {
		b.WriteString(text(fmt.Sprint(i)) + "h\x64s")
	}
	return b.String()
}

// longKeys is a dict in a dict in a dict … under one key of n bytes, around tensors.
func longKeys(n, depth int) string {
	whole := dictOf(text("a.w"), tensorOf(6, 0, []int{6}, []int{1}))
	return text(strings.Repeat("k", n)) + "q\x640" + strings.Repeat("}h\x64", depth) + whole + strings.Repeat("s", depth)
}

// namelessKeys is a dict that has one with n keys that are no names, many times.
func namelessKeys(n, times int) string {
	var b strings.Builder
	b.WriteString(dictOf(strings.Repeat("NN", n)) + "q\x640}")
	for i := range times {
		b.WriteString(text(fmt.Sprint(i)) + "h\x64s")
	}
	return b.String()
}

// manyAxes makes a tensor of 64 axes from the same arguments, many times.
func manyAxes(times int) string {
	sizes, strides := make([]int, 64), make([]int, 64)
	function, arguments, _ := strings.Cut(tensorOf(6, 0, sizes, strides), "(")
	return function + "q\x640(" + strings.TrimSuffix(arguments, "R") + "q\x650" + strings.Repeat("h\x64h\x65R0", times) + "}"
}

// deepModules are whole modules under many long keys.
func deepModules(times int) string {
	const depth = 40
	state := dictOf(text("_modules"), "}", text("_parameters"), "}")
	modules := strings.Repeat("h\x65)\x81h\x66b", times)
	return text(strings.Repeat("k", 1000)) + "q\x640cm\nNet\nq\x650" + state + "q\x660" + strings.Repeat("}h\x64", depth) + "](" + modules + "e" + strings.Repeat("s", depth)
}

// laughs is a dict that has the next one ten times, which has the next one ten times …
func laughs() string {
	var b strings.Builder
	b.WriteString("}")
	for level := range 12 {
		b.WriteString("q" + string(rune(level)) + "0}")
		for i := range 10 {
			b.WriteString(text(string(rune('a'+i))) + "h" + string(rune(level)) + "s")
		}
	}
	return b.String()
}

// onlyFile is an archive of files with a few bytes.
func onlyFile(t testing.TB, name string, method uint16, more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range append([]string{name}, more...) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: n, Method: method})
		if err == nil {
			_, err = f.Write([]byte(program("}")))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHostileTorchFiles(t *testing.T) {
	for name, c := range badTorch(t) {
		t.Run(name, func(t *testing.T) {
			_, err := openBytes(t, c.file)
			if err == nil {
				t.Fatal("was opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
		})
	}
}

// Small files that would fill the memory: a list that many dicts are made of, and dicts that have one another twice.
func TestTorchBombs(t *testing.T) {
	six := map[string][]byte{"0": make([]byte, 24)}
	for _, c := range []struct {
		name, value, want string
		most              uint64 // bytes allocated
	}{
		{"list copied often", copies(1<<10, 1<<11), "long lists too often", 100 << 20},
		{"names alone", sharedDicts(18, tensorOf(6, 0, []int{0}, []int{1})), "four times", 100 << 20},
		{"lists alone", sharedDicts(18, "]("+tensorOf(6, 0, []int{0}, []int{1})+"e"), "four times", 100 << 20},
		{"text often", sharedText(1<<20, 1<<10), "", 10 << 20},
		{"objects alone", "](cm\nC\nq\x640" + strings.Repeat("h\x64)\x81", 300_000) + "e", "wanted is a state dict", 150 << 20},
		{"objects with dicts", "](cm\nC\nq\x640" + strings.Repeat("h\x64)\x81K\x01Ns", 150_000) + "e", "wanted is a state dict", 150 << 20},
		{"tuples in tuples", ")" + strings.Repeat("\x85", 1_000_000), "wanted is a state dict", 150 << 20},
		{"sets alone", "](" + strings.Repeat("\x8f", 1_000_000) + "e", "wanted is a state dict", 150 << 20},
		{"states of states", "cm\nC\nq\x640" + strings.Repeat("h\x64)\x81", 500_000) + strings.Repeat("b", 499_999), "wanted is a state dict", 150 << 20},
		{"tensors of many axes", manyAxes(500_000), "many axes too often", 100 << 20},
		{"modules under long keys", deepModules(10_000), "holds a whole module", 20 << 20},
		{"long keys deep", longKeys(1<<18, 60), "more than 1024 bytes", 20 << 20},
	} {
		file := torchZip(t, program(c.value), six)
		var err error
		got := bytesAllocated(func() { _, err = openBytes(t, file) })
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v does not say %q", c.name, err, c.want)
		}
		if got > c.most {
			t.Errorf("%s: a file of %d bytes made %d MB", c.name, len(file), got>>20)
		}
		t.Logf("%s: %d bytes, %d MB", c.name, len(file), got>>20)
	}
}

// The id of a storage as text is looked at up to the length of a name: one long text may be the id many times.
func TestLongStorageID(t *testing.T) {
	found := 0
	hooks := torchHooks(func(pickle.Tuple) (*storage, error) { found++; return &storage{}, nil })
	id := func(key string) string {
		return "('storage', <class 'torch.FloatStorage'>, '" + key + "', 'cpu', 6, None)"
	}
	if _, err := hooks.Persistent(id("0")); err != nil || found != 1 {
		t.Errorf("%d found: %v", found, err)
	}
	_, err := hooks.Persistent(id(strings.Repeat("0", maxName)))
	if found != 1 || err == nil || !strings.Contains(err.Error(), "is no storage") {
		t.Errorf("%d found: %v", found, err)
	}
}

// A file that is cut short while it is read gives an error, as reading it in the ordinary way would.
func TestMappedFileCutShort(t *testing.T) {
	const n = 1 << 20
	path := filepath.Join(t.TempDir(), "w.safetensors")
	b := mustWrite(t, nil, Named{Name: "w", DType: F32, Shape: []int{n}, Float32s: make([]float32, n)})
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	sum := float32(0)
	_, err = Load([]Slot{{Name: "w", Shape: []int{n}, Set: func(v []float32) error {
		for _, x := range v {
			sum += x
		}
		return nil
	}}}, f, nil)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

// fuzzTorch opens any bytes and reads what they describe.
func fuzzTorch(t *testing.T, b []byte, read reader) {
	f, err := read(bytes.NewReader(b), int64(len(b)), "x.pth")
	if err != nil {
		if !strings.HasPrefix(err.Error(), "state: x.pth: ") {
			t.Errorf("error does not name the file: %v", err)
		}
		return
	}
	total := int64(0)
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		total += e.Size
		raw, err := f.Bytes(name)
		if e.Offset == noOffset && err != nil {
			continue
		}
		if err != nil || int64(len(raw)) != e.Size {
			t.Fatalf("%s: %d bytes, want %d: %v", name, len(raw), e.Size, err)
		}
		if e.DType.Numeric() {
			if v, err := f.Float32s(name); err != nil || len(v) != e.Len() {
				t.Fatalf("%s: %d values, want %d: %v", name, len(v), e.Len(), err)
			}
		}
	}
	if total > 4*int64(len(b))+slack {
		t.Fatalf("%d bytes of tensors from %d", total, len(b))
	}
}

func FuzzReadTorchZip(f *testing.F) {
	f.Add(torchZip(f, program(dictOf(text("w"), tensorOf(6, 1, []int{2, 2}, []int{1, 3}))), map[string][]byte{"0": make([]byte, 24)}))
	for _, c := range badTorch(f) {
		f.Add(c.file)
	}
	for name, file := range fieldFiles(f, "layouts.tar.bz2") {
		if !strings.HasSuffix(name, "legacy") {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { fuzzTorch(t, b, ReadTorchZip) })
}

// The archive's checksums would keep most changes of its pickle from being read, so pickles are changed on their own too.
func FuzzTorchPickle(f *testing.F) {
	f.Add([]byte(program(dictOf(text("w"), tensorOf(6, 1, []int{2, 2}, []int{1, 3})))))
	f.Add([]byte(program(dictOf(text("model"), dictOf(text("w"), tensorOf(6, 0, []int{3, 2}, []int{2, 1})), text("args"), "cargparse\nNamespace\n)\x81"+dictOf(text("lr"), "G?\xf0\x00\x00\x00\x00\x00\x00")+"b"))))
	f.Add([]byte(program("c__torch__\nBox\n)\x81" + dictOf(text("w"), tensorOf(6, 0, []int{6}, []int{1})) + "b")))
	f.Add([]byte(program(moduleOf(dalleEncoder, "}", dictOf(text("a"), moduleOf(dalleConv, dictOf(text("w"), tensorOf(6, 0, []int{6}, []int{1})), "}"))))))
	for _, file := range fieldFiles(f, "objects.tar.bz2") {
		a, err := openArchive(bytes.NewReader(file), int64(len(file)))
		if err != nil { // of the old layout
			continue
		}
		pickle, err := a.read(a.files[a.folder+describing], 1<<20)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pickle)
	}
	storages := map[string][]byte{}
	for key := range 10 {
		storages[fmt.Sprint(key)] = make([]byte, 64)
	}
	f.Fuzz(func(t *testing.T, pickle []byte) { fuzzTorch(t, torchZip(t, string(pickle), storages), ReadTorchZip) })
}

func FuzzReadTorchLegacy(f *testing.F) {
	head := legacyMagic + "\x80\x02M\xe9\x03." + program(dictOf(text("little_endian"), "\x88"))
	f.Add([]byte(head + program(dictOf(text("w"), tensorOf(2, 0, []int{2}, []int{1}))) + program("]"+text("0")+"a") + "\x02\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x80\x3f\x00\x00\x00\x40"))
	for name, c := range badTorch(f) {
		if strings.HasPrefix(name, "legacy") {
			f.Add(c.file)
		}
	}
	for _, archive := range []string{"layouts.tar.bz2", "objects.tar.bz2"} {
		for name, file := range fieldFiles(f, archive) {
			if strings.HasSuffix(name, "legacy") {
				f.Add(file)
			}
		}
	}
	f.Add(dalleFiles(f)["encoder_legacy.pkl"])
	f.Fuzz(func(t *testing.T, b []byte) { fuzzTorch(t, b, ReadTorchLegacy) })
}
