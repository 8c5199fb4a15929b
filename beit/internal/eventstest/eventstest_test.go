package eventstest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/run/events"
	"github.com/gobeit/gobeit/nn/state"
)

// The reader knows the published value, and finds any single bit that was turned and any byte that is missing.
func TestRecords(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 {
		t.Fatalf("checksum of the digits is %08x", got)
	}
	dir := t.TempDir()
	w, err := events.Open(dir, []run.Record{{Step: 7, Kind: run.KindStep, Values: map[string]float64{"loss": 1.5}}}, nil, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	log, err := os.ReadFile(filepath.Join(dir, events.File))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := Records(log); err != nil || len(list) != 2 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	for bit := range 8 * len(log) {
		log[bit/8] ^= 1 << (bit % 8)
		if _, err := Records(log); err == nil {
			t.Errorf("bit %d of byte %d was turned, and nobody noticed", bit%8, bit/8)
		}
		log[bit/8] ^= 1 << (bit % 8)
	}
	for n := range len(log) {
		if list, err := Records(log[:n]); err == nil && len(list) != 0 && n != 40 {
			t.Errorf("%d of %d bytes: %d whole records", n, len(log), len(list))
		}
	}
}
