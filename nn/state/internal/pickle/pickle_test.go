package pickle

import (
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inert makes objects of all calls.
var inert = Hooks{
	Call: func(c Class, args Tuple) (any, error) { return &Object{Class: c, Args: args}, nil },
}

func read(t *testing.T, program string, hooks Hooks) (any, error) {
	t.Helper()
	v, n, err := Read(strings.NewReader(program+"rest"), int64(len(program)+4), hooks)
	if err == nil && n != int64(len(program)) {
		t.Errorf("%q: %d bytes, want %d", program, n, len(program))
	}
	return v, err
}

// The programs are what Python's pickle.dumps gives, with the protocols named.
func TestValues(t *testing.T) {
	huge, _ := new(big.Int).SetString("1950a86a20f9469cfc6c", 16)
	for _, c := range []struct {
		name, program string
		want          any
	}{
		{"None, 2", "\x80\x02N.", nil},
		{"True, 2", "\x80\x02\x88.", true},
		{"-3, 2", "\x80\x02J\xfd\xff\xff\xff.", int64(-3)},
		{"300, 2", "\x80\x02M,\x01.", int64(300)},
		{"2**40, 2", "\x80\x02\x8a\x06\x00\x00\x00\x00\x00\x01.", int64(1 << 40)},
		{"-2**40, 2", "\x80\x02\x8a\x06\x00\x00\x00\x00\x00\xff.", int64(-1 << 40)},
		{"0 as long", "\x80\x02\x8a\x00.", int64(0)},
		{"PyTorch's number, 2", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", huge},
		{"1.5, 2", "\x80\x02G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"'ä', 2", "\x80\x02X\x02\x00\x00\x00\xc3\xa4q\x00.", "ä"},
		{"b'ab', 3", "\x80\x03C\x02abq\x00.", []byte("ab")},
		{"(1, 'a'), 4", "\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00K\x01\x8c\x01a\x94\x86\x94.", Tuple{int64(1), "a"}},
		{"[1, 2], 2", "\x80\x02]q\x00(K\x01K\x02e.", &List{[]any{int64(1), int64(2)}}},
		{"{1}, 4", "\x80\x04\x8f\x94(K\x01\x90.", Set{}},
		{"frozenset({1}), 4", "\x80\x04(K\x01\x91\x94.", Set{}},
		{"bytearray(b'ab'), 5", "\x80\x05\x96\x02\x00\x00\x00\x00\x00\x00\x00ab\x94.", []byte("ab")},
		{"PickleBuffer out of band, 5", "\x80\x05\x97\x98.", &Object{Class: Class{"pickle", "PickleBuffer"}}},
		{"-1 in four bytes of length", "\x80\x02\x8b\x01\x00\x00\x00\xff.", int64(-1)},
		{"named arguments, 4", "\x80\x04\x8c\x01m\x8c\x01c\x93K\x01\x85}\x92.", &Object{Class: Class{"m", "c"}, Args: Tuple{int64(1)}}},
		{"extension", "\x80\x02\x82\x07.", Class{"copyreg", "extension 7"}},
		{"lone surrogate, 2", "\x80\x02X\x03\x00\x00\x00\xed\xb3\xa9q\x00.", "\xed\xb3\xa9"},
		{"Python 2's 'caf\\xe9', 2", "\x80\x02U\x04caf\xe9q\x00.", "caf\xe9"},
		{"counter, 2", "\x80\x02ccollections\nCounter\nq\x00}q\x01K\x1eK\x01s\x85q\x02Rq\x03.",
			&Object{Class: Class{"collections", "Counter"}, Args: Tuple{&Dict{Keys: []any{int64(30)}, Values: []any{int64(1)}}}}},
		{"dict of a class, 2", "\x80\x02cm\nc\n)\x81X\x01\x00\x00\x00aK\x01s.", &Object{Class: Class{"m", "c"}, Args: Tuple{}, Dict: dictOf("a", int64(1))}},
		{"what getattr finds is called", "\x80\x02cbuiltins\ngetattr\n)R)R.", &Object{Args: Tuple{}}},
		{"attributes of an array are dropped", "\x80\x02C\x01aNb.", []byte("a")},
		{"list, 0", "(lp0\nI1\naI-2\naL7L\naF1.5\naI01\naNa.", &List{[]any{int64(1), int64(-2), int64(7), 1.5, true, nil}}},
		{"dict, 0", "(dp0\nVa\\u20ac\xe9\np1\nI1\ns.", dictOf("a€é", int64(1))},
		{"dict at once, 1", "(Va\nK\x01d.", dictOf("a", int64(1))},
		{"bytes, 0", "S'a\\'\\\\\\x41\\n\\q'\np0\n.", "a'\\A\n\\q"},
		{"bytes with control characters, 0", "S'\\\v\\\r'\n.", "\\\v\\\r"},
		{"tuple, 0", "(I1\nI2\ntp0\n.", Tuple{int64(1), int64(2)}},
		{"instance of an old class, 0", "(I1\nim\nc\np0\n(dp1\nb.", &Object{Class: Class{"m", "c"}, Args: Tuple{int64(1)}, State: &Dict{}}},
		{"instance of an old class, 1", "(cm\nc\nK\x01oq\x00.", &Object{Class: Class{"m", "c"}, Args: Tuple{int64(1)}}},
		{"{}, 2", "\x80\x02}q\x00.", &Dict{}},
		{"class, 2", "\x80\x02cargparse\nNamespace\nq\x00.", Class{"argparse", "Namespace"}},
		{"class, 4", "\x80\x04\x8c\x08argparse\x94\x8c\x09Namespace\x94\x93\x94.", Class{"argparse", "Namespace"}},
		{"instance, 2", "\x80\x02cargparse\nNamespace\nq\x00)\x81q\x01}q\x02b.", &Object{Class: Class{"argparse", "Namespace"}, Args: Tuple{}, State: &Dict{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, c.program, inert)
			if err != nil {
				t.Fatal(err)
			}
			if n, ok := got.(*big.Int); ok {
				got = n.String()
				c.want = c.want.(*big.Int).String()
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Dict{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// dictOf is a dict of one key.
func dictOf(key string, value any) *Dict {
	d := &Dict{}
	if err := d.Set(key, value); err != nil {
		panic(err)
	}
	return d
}

func TestDict(t *testing.T) {
	v, err := read(t, "\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01K\x07Nu.", inert)
	if err != nil {
		t.Fatal(err)
	}
	d := v.(*Dict)
	if diff := cmp.Diff([]any{"a", int64(7)}, d.Keys); diff != "" {
		t.Error(diff)
	}
	if one, ok := d.Get("a"); !ok || one != int64(1) {
		t.Errorf("a is %v", one)
	}
	if _, ok := d.Get("b"); ok {
		t.Error("b is there")
	}
}

// A long byte string, and a long list of numbers, neither fill the memory nor make a pickle unreadable.
func TestLong(t *testing.T) {
	const n = 17 << 20 // more than MaxBytes
	long := "\x80\x03B\x00\x00\x10\x01" + strings.Repeat("x", n) + "K\x01\x86."
	v, err := read(t, long, inert)
	if diff := cmp.Diff(Tuple{Long{}, int64(1)}, v); err != nil || diff != "" {
		t.Errorf("%s %v", diff, err)
	}
	const numbers = 2_000_000
	v, err = read(t, "\x80\x02]("+strings.Repeat("G?\xf8\x00\x00\x00\x00\x00\x00", numbers/2)+"e"+"("+strings.Repeat("K\x01", numbers/2)+"e.", inert)
	if err != nil || len(v.(*List).Items) != numbers {
		t.Errorf("%v", err)
	}
	for program, want := range map[string]string{
		"(" + strings.Repeat("N", MaxOps):                                  "operations",
		strings.Repeat("}0", MaxOps/5+1):                                   "operations",
		strings.Repeat("C\xff"+strings.Repeat("x", 255)+"0", MaxBytes/256): "longer than",
	} {
		if _, err := read(t, program, inert); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Lines of protocol 0 that are texts are kept up to MaxText, as others are.
func TestLongLines(t *testing.T) {
	most := strings.Repeat("x", MaxText)
	for program, want := range map[string]any{
		"V" + most + "\n":  most,
		"V" + most + "x\n": Long{},
		"V" + strings.Repeat("x", 2*MaxBytes) + "\n": Long{},
		"S'" + most[2:] + "'\n":                      most[2:],
		"S'" + most + "'\n":                          Long{},
	} {
		v, err := read(t, "("+program+"I1\nt.", inert)
		if got, ok := v.(Tuple); err != nil || !ok || len(got) != 2 || got[0] != want || got[1] != int64(1) {
			t.Errorf("%.5s of %d bytes: %T, %v", program, len(program), v, err)
		}
	}
	if _, err := read(t, "V"+most+"xx", inert); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("without an end: %v", err)
	}
	// What is passed over does not count as kept, and what is kept does.
	if _, err := read(t, strings.Repeat("V"+most+"x\n0", 2*MaxBytes/MaxText)+"N.", inert); err != nil {
		t.Error(err)
	}
	if _, err := read(t, strings.Repeat("V"+most+"\n0", 2*MaxBytes/MaxText)+"N.", inert); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
}

// Keys of any kind that Python can hash stand in dicts.
func TestDictKeys(t *testing.T) {
	v, err := read(t, "\x80\x02}(K\x01\x85NNNG?\xf8\x00\x00\x00\x00\x00\x00NC\x01aNcm\nc\nN\x88N\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01Nu.", inert)
	if err != nil {
		t.Fatal(err)
	}
	if d := v.(*Dict); len(d.Keys) != 7 {
		t.Errorf("%d keys: %v", len(d.Keys), d.Keys)
	}
}

// The hooks decide, and what they refuse ends the reading.
func TestRefusals(t *testing.T) {
	for program, want := range map[string]string{
		"\x80\x02cos\nsystem\n)R.":              "no os.system",
		"\x80\x06N.":                            "protocol 6",
		"\x80\x02(K\x01d.":                      "1 keys and values",
		"\x80\x02z.":                            "0x7a",
		"\x80\x02)o.":                           "no mark",
		"(o.":                                   "stack is empty",
		"I1x\n.":                                "no integer",
		"F1x\n.":                                "no number",
		"S'a\n.":                                "without quotes",
		"g7\n.":                                 "nothing was stored",
		"pa\n.":                                 "invalid syntax",
		"Pid\n.":                                "where there is nothing",
		"\x80\x02K\x01)R.":                      "is called",
		"\x80\x02cm\nc\nK\x01R.":                "is called with a int64",
		"\x80\x02X\x01\x00\x00\x00\xff.":        "UTF-8",
		"\x80\x02NQ.":                           "where there is nothing",
		"\x80\x02}Nb.":                          "",
		"\x80\x02NNb.":                          "attributes of a <nil>",
		"\x80\x02}](K\x01K\x02us.":              "are added",
		"\x80\x02}]Ns.":                         "a key of type *pickle.List",
		"\x80\x02c" + strings.Repeat("x", 2000): "longer than",
		"\x80\x04X\x01\x04\x00\x00" + strings.Repeat("x", maxLine+1) + "\x8c\x01c\x93.": "a name is longer than 1024 bytes",
		"\x80\x04\x8c\x01mX\x01\x04\x00\x00" + strings.Repeat("x", maxLine+1) + "\x93.": "a name is longer than 1024 bytes",
		"\x80\x04\x8c\x01m\x8c\x02c\n\x93.":                                             "a name is not text",
	} {
		_, err := read(t, program, Hooks{Call: func(c Class, _ Tuple) (any, error) {
			if c.Module == "os" {
				return nil, errorText("no os.system")
			}
			return nil, nil
		}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: error %v, want %q", program, err, want)
		}
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }

// Nothing can make the reader take memory that the input does not have: a few bytes that claim terabytes are refused before they are read.
func TestLengthsAreChecked(t *testing.T) {
	for _, program := range []string{
		"\x80\x02X\xff\xff\xff\xff", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "\x80\x04\x8e\x00\x00\x00\x00\x00\x00\x00\x80", "\x80\x03B\xff\xff\xff\x7f",
	} {
		n := testing.AllocsPerRun(1, func() {
			if _, _, err := Read(strings.NewReader(program), int64(len(program)), inert); err == nil || !strings.Contains(err.Error(), "bytes follow") {
				t.Errorf("%q: error %v", program, err)
			}
		})
		if n > 100 {
			t.Errorf("%q: %v allocations", program, n)
		}
	}
}

// Any bytes give a value or an error, and no more of them are read than there are.
func FuzzRead(f *testing.F) {
	for _, program := range []string{
		"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01K\x07Nu.", "\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00K\x01\x8c\x01a\x94\x86\x94.",
		"(dp0\nVa\\u20ac\xe9\np1\nI1\ns.", "S'a\\'\\\\\\x41\\n\\q'\np0\n.", "(lp0\nI1\naI-2\naL7L\naF1.5\naI01\naNa.", "(I1\nim\nc\np0\n(dp1\nb.", "(cm\nc\nK\x01oq\x00.",
		"\x80\x05\x96\x02\x00\x00\x00\x00\x00\x00\x00ab\x94.", "\x80\x05\x97\x98.", "\x80\x02\x8b\x01\x00\x00\x00\xff.", "\x80\x04\x8c\x01m\x8c\x01c\x93K\x01\x85}\x92.",
		"\x80\x02cbuiltins\ngetattr\n)R)R.", "\x80\x04(K\x01\x91\x94.", "\x80\x02\x82\x07.", "Pid\n.",
	} {
		f.Add([]byte(program))
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		hooks := inert
		hooks.Persistent = func(id any) (any, error) { return &Object{Args: Tuple{id}}, nil }
		_, n, err := Read(strings.NewReader(string(program)), int64(len(program)), hooks)
		if err == nil && (n < 1 || n > int64(len(program))) {
			t.Errorf("%d of %d bytes", n, len(program))
		}
	})
}
