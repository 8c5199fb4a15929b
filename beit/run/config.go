package run

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// The checksum of config.toml is its last line. Readers recognize it by its beginning or by its end, so that damage to one does not hide it.
const (
	sumStart = "# sha256: "
	sumEnd   = " (sha256 of the lines above)"
)

// maxConfig is how many bytes a config.toml can have.
const maxConfig = 4 << 20

// sumLine is the last line of a config.toml that begins with text.
func sumLine(text string) string {
	return fmt.Sprintf("%s%x%s\n", sumStart, sha256.Sum256([]byte(text)), sumEnd)
}

// withoutSum takes the lines with a checksum out of a file. found says that there is one.
func withoutSum(whole string) (text string, found bool) {
	var b strings.Builder
	for line := range strings.Lines(whole) {
		start := strings.HasPrefix(line, sumStart)
		end := strings.HasSuffix(strings.TrimRight(line, "\r\n"), sumEnd)
		found = found || start || end
		if !start { // a line with the end alone may begin with a line of the text, whose break is damaged
			b.WriteString(line)
		}
	}
	return b.String(), found
}

// WriteConfig writes config.toml: the text, and a comment with its checksum. It adds a line break to a text that does not end in one.
func WriteConfig(dir, text string, write WriteFunc) error {
	text, _ = withoutSum(text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return write(filepath.Join(dir, ConfigFile), func(w io.Writer) error {
		_, err := io.WriteString(w, text+sumLine(text))
		return err
	})
}

// ReadConfig returns the text of config.toml without the checksum. changed says that the checksum does not match the text: the file was edited
// by hand, or it is damaged. A file without a checksum, of an older run, is not changed.
func ReadConfig(dir string) (text string, changed bool, err error) {
	whole, err := regular.ReadAtMost(filepath.Join(dir, ConfigFile), maxConfig)
	if _, missing := os.Stat(dir); errors.Is(missing, fs.ErrNotExist) {
		return "", false, fmt.Errorf("%s is not a run folder: there is nothing of that name: %w", dir, fs.ErrNotExist)
	} else if errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("%s is not a run folder: it has no %s: %w", dir, ConfigFile, fs.ErrNotExist)
	} else if err != nil {
		return "", false, fmt.Errorf("%s is not a run folder: %w", dir, err)
	}
	text, changed = parseConfig(string(whole))
	return text, changed, nil
}

func parseConfig(whole string) (text string, changed bool) {
	text, found := withoutSum(whole)
	return text, found && whole != text+sumLine(text)
}
