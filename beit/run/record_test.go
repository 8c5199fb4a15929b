package run

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The exact text of a record and of a checksum.
func TestRecordText(t *testing.T) {
	rec := Record{KindStep, 1, 50, noon.In(time.FixedZone("", 3600)), map[string]float64{"loss": 0.91, "a": math.NaN(), "b": math.Inf(1), "z": math.Inf(-1)}}
	object, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":"NaN","b":"Infinity","epoch":1,"kind":"step","loss":0.91,"step":50,"time":"2026-11-29T12:00:00.123Z","z":"-Infinity"}`
	if diff := cmp.Diff(want, string(object)); diff != "" {
		t.Error(diff)
	}
	if got, want := string(seal([]byte(`{"a":1}`))), `{"a":1,"crc":"`+crcByHand(`{"a":1`)+`"}`; got != want {
		t.Errorf("sealed %s, want %s", got, want)
	}
}

// crcByHand is the checksum of Castagnoli, a bit at a time by its definition (RFC 3720, appendix B.4).
func crcByHand(text string) string {
	c := ^uint32(0)
	for _, b := range []byte(text) {
		c ^= uint32(b)
		for range 8 {
			c = c>>1 ^ 0x82f63b78&-(c&1)
		}
	}
	const digits = "0123456789abcdef"
	var hex []byte
	for shift := 28; shift >= 0; shift -= 4 {
		hex = append(hex, digits[^c>>shift&15])
	}
	return string(hex)
}

// RFC 3720 gives the checksum of 32 zeros.
func TestCRCByHand(t *testing.T) {
	if got := crcByHand(string(make([]byte, 32))); got != "8a9136aa" {
		t.Error(got)
	}
}

func TestRecordsThatCannotBeWritten(t *testing.T) {
	ok := Record{Kind: KindStep, Epoch: 1, Step: 1}
	for name, change := range map[string]func(r *Record){
		"no kind":        func(r *Record) { r.Kind = "" },
		"odd kind":       func(r *Record) { r.Kind = "\xff" },
		"negative epoch": func(r *Record) { r.Epoch = -1 },
		"negative step":  func(r *Record) { r.Step = -1 },
		"late":           func(r *Record) { r.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"named kind":     func(r *Record) { r.Values = map[string]float64{"kind": 1} },
		"named epoch":    func(r *Record) { r.Values = map[string]float64{"epoch": 1} },
		"named step":     func(r *Record) { r.Values = map[string]float64{"step": 1} },
		"named time":     func(r *Record) { r.Values = map[string]float64{"time": 1} },
		"named crc":      func(r *Record) { r.Values = map[string]float64{"crc": 1} },
		"odd name":       func(r *Record) { r.Values = map[string]float64{"\xff": 1} },
	} {
		rec := ok
		change(&rec)
		if text, err := rec.MarshalJSON(); err == nil {
			t.Errorf("%s: became %s", name, text)
		}
	}
	if _, err := ok.MarshalJSON(); err != nil {
		t.Error(err)
	}
}

// What other programs or older versions may have written.
func TestReadRecord(t *testing.T) {
	head := Record{Kind: "step", Epoch: 1, Step: 2}
	with := func(change func(r *Record)) *Record {
		rec := head
		change(&rec)
		return &rec
	}
	for text, want := range map[string]*Record{
		`{"kind":"step","epoch":1,"step":2}`:                                        &head,
		` {"step":2, "epoch":1,` + "\t" + `"kind":"step"} `:                         &head,
		`{"kind":"step","epoch":1,"step":2,"note":"text","crc":"0","l":[1]}`:        &head,
		`{"kind":"step","epoch":1,"step":2,"loss":1e-3}`:                            with(func(r *Record) { r.Values = map[string]float64{"loss": 1e-3} }),
		`{"kind":"step","epoch":1,"step":2,"loss":"NaN"}`:                           with(func(r *Record) { r.Values = map[string]float64{"loss": math.NaN()} }),
		`{"kind":"step","epoch":1,"step":2,"loss":"Inf"}`:                           &head,
		`{"kind":"step","epoch":1,"step":2,"time":"2026-11-29T12:00:00.123Z"}`:      with(func(r *Record) { r.Time = noon }),
		`{"kind":"step","epoch":1,"step":2,"time":"2026-11-29T14:00:00.123+02:00"}`: with(func(r *Record) { r.Time = noon }),
		`{"kind":"probe","epoch":1,"step":2}`:                                       with(func(r *Record) { r.Kind = "probe" }),
		`{"kind":"step","epoch":1}`:                                                 nil,
		`{"epoch":1,"step":2}`:                                                      nil,
		`{"Kind":"step","epoch":1,"step":2}`:                                        nil,
		`{"kind":null,"epoch":1,"step":2}`:                                          nil,
		`{"kind":"step","epoch":1,"step":-2}`:                                       nil,
		`{"kind":"step","epoch":1,"step":2.5}`:                                      nil,
		`{"kind":"step","epoch":"1","step":2}`:                                      nil,
		`{"kind":"step","epoch":1,"step":99999999999999999999}`:                     nil,
		`{"kind":"step","epoch":1,"step":2,"loss":1e999}`:                           nil,
		`{"kind":"step","epoch":1,"step":2,"time":5}`:                               nil,
		`{"kind":"step","epoch":1,"step":2,"time":"noon"}`:                          nil,
		`{"kind":"step","epoch":1,"step":2,"time":"9999-12-31T23:59:59.000-01:00"}`: nil,
		`[]`:   nil,
		`null`: nil,
		``:     nil,
	} {
		var in lines
		rec, err := in.read([]byte(text + "\n"))
		if want == nil {
			if err == nil {
				t.Errorf("%s: read as %+v", text, rec)
			}
			continue
		}
		if diff := diffRecords([]Record{*want}, []Record{rec}); diff != "" || err != nil {
			t.Errorf("%s: error %v, -want +got\n%s", text, err, diff)
		}
	}
}

func TestStable(t *testing.T) {
	rec := someRecords()[0]
	want := Record{KindStep, 1, 2, time.Time{}, map[string]float64{"loss": 0.91, "lr": 1e-5}}
	if diff := diffRecords([]Record{want}, []Record{rec.Stable()}); diff != "" {
		t.Error(diff)
	}
	if diff := diffRecords(someRecords()[:1], []Record{rec}); diff != "" {
		t.Errorf("the record itself changed:\n%s", diff)
	}
}

// FuzzRecord reads any line. What is accepted can be written and read again.
func FuzzRecord(f *testing.F) {
	for _, rec := range someRecords() {
		object, err := rec.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(object)
		f.Add(seal(object))
	}
	f.Add([]byte(`{"kind":"step","epoch":1,"step":2,"time":"2026-11-29T14:00:00.123+02:00","a":[{}],"crc":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var in lines
		rec, err := in.read(text)
		if err != nil {
			return
		}
		object, err := rec.MarshalJSON()
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", rec, err)
		}
		again, err := new(lines).read(append(seal(object), '\n'))
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffRecords([]Record{rec}, []Record{again}); diff != "" {
			t.Error(diff)
		}
	})
}
