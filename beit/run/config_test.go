package run

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gobeit/gobeit/nn/state"
)

const someConfig = "# A run.\nmethod = \"pretrain\" # *J\n\n[train]\nlr = 1e-3\nepochs = 10\n"

// writeConfig returns the text of the file.
func writeConfig(t testing.TB, dir, text string) string {
	t.Helper()
	if err := WriteConfig(dir, text, state.WriteFileAtomic); err != nil {
		t.Fatal(err)
	}
	return string(mustRead(t, filepath.Join(dir, ConfigFile)))
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := ReadConfig(dir); !errors.Is(err, fs.ErrNotExist) || !wantError(err, dir+" is not a run folder") || Exists(dir) {
		t.Errorf("without a config: error %v, exists %v", err, Exists(dir))
	}
	for text, want := range map[string]string{someConfig: someConfig, "seed = 1": "seed = 1\n", "": "", "\r\n": "\r\n"} {
		file := writeConfig(t, dir, text)
		if got, changed, err := ReadConfig(dir); got != want || changed || err != nil {
			t.Errorf("%q: read as %q, changed %v, error %v", text, got, changed, err)
		}
		if again := writeConfig(t, dir, file); again != file {
			t.Errorf("%q, written as it lay in the file, becomes %q", file, again)
		}
	}
	const sum = "# sha256: SUM (sha256 of the lines above)\n"
	if got, want := writeConfig(t, dir, "seed = 1\n"), "seed = 1\n"+strings.Replace(sum, "SUM", seedSum, 1); got != want || !Exists(dir) {
		t.Errorf("the file is %q, want %q", got, want)
	}
}

func TestEditedConfig(t *testing.T) {
	dir := t.TempDir()
	file := writeConfig(t, dir, someConfig)
	body, sum := file[:len(someConfig)], file[len(someConfig):]
	for name, c := range map[string]struct {
		file, text string
		changed    bool
	}{
		"as it was":         {file, body, false},
		"of an older run":   {body, body, false},
		"without an end":    {strings.TrimSuffix(body, "\n"), strings.TrimSuffix(body, "\n"), false},
		"empty":             {"", "", false},
		"a value changed":   {strings.Replace(file, "1e-3", "2e-3", 1), strings.Replace(body, "1e-3", "2e-3", 1), true},
		"a line at the end": {file + "seed = 2\n", body + "seed = 2\n", true},
		"a line less":       {strings.Replace(file, "epochs = 10\n", "", 1), strings.Replace(body, "epochs = 10\n", "", 1), true},
		"breaks of Windows": {strings.ReplaceAll(file, "\n", "\r\n"), strings.ReplaceAll(body, "\n", "\r\n"), true},
		"no last break":     {strings.TrimSuffix(file, "\n"), body, true},
		"two checksums":     {file + sum, body, true},
		"another checksum":  {body + sumLine(body+" "), body, true},
		"the checksum cut":  {file[:len(file)-20], body, true},
		"only the checksum": {sum, "", true},
	} {
		mustWrite(t, filepath.Join(dir, ConfigFile), []byte(c.file))
		if text, changed, err := ReadConfig(dir); text != c.text || changed != c.changed || err != nil {
			t.Errorf("%s: read %q, changed %v, error %v; want %q, %v", name, text, changed, err, c.text, c.changed)
		}
	}
}

// TestConfigFlips damages each bit of the file in turn.
func TestConfigFlips(t *testing.T) {
	flips([]byte(writeConfig(t, t.TempDir(), someConfig)), func(bit int, damaged []byte) {
		if text, changed := parseConfig(string(damaged)); !changed {
			t.Errorf("bit %d of byte %d: read as unchanged %q", bit%8, bit/8, text)
		}
	})
}

func TestConfigOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	file := writeConfig(t, dir, someConfig)
	if err := WriteConfig(dir, "seed = 5\n", full); !errors.Is(err, syscall.ENOSPC) || !wantError(err, filepath.Join(dir, ConfigFile)) {
		t.Errorf("error %v", err)
	}
	if got := string(mustRead(t, filepath.Join(dir, ConfigFile))); got != file {
		t.Errorf("the file became %q", got)
	}
}

// FuzzConfig writes and reads any text, and reads any file.
func FuzzConfig(f *testing.F) {
	f.Add(someConfig)
	f.Add(someConfig + sumLine(someConfig))
	f.Add("a\r\n# sha256: (sha256 of the lines above)\nb (sha256 of the lines above)")
	f.Fuzz(func(t *testing.T, text string) {
		got, changed := parseConfig(text)
		if plain := !strings.Contains(text, sumStart) && !strings.Contains(text, sumEnd); plain && (got != text || changed) {
			t.Errorf("%q was read as %q, changed %v", text, got, changed)
		}
		var file string
		err := WriteConfig("", got, func(_ string, write func(io.Writer) error) error {
			var b strings.Builder
			err := write(&b)
			file = b.String()
			return err
		})
		again, changed := parseConfig(file)
		if err != nil || strings.TrimSuffix(again, "\n") != strings.TrimSuffix(got, "\n") {
			t.Errorf("%q became %q, error %v", got, again, err)
		}
		if changed && !strings.Contains(got, sumEnd) { // no config has a line with such an end
			t.Errorf("%q, just written, is changed", got)
		}
	})
}

// seedSum is what sha256sum says about "seed = 1\n".
const seedSum = "46545c629053298cb8b068758bd6cb0ba83f1533f50a054de71575535afea66b"
