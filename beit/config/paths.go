package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// Paths are the paths of one source of images, or of several ones that are read together. In TOML they are a text, or a list of texts. Values can
// be compared: they are the same where they name the same paths in the same order.
type Paths string

// pathSeparator stands between paths, none of which can hold it.
const pathSeparator = "\x00"

// PathsOf puts paths together.
func PathsOf(list ...string) Paths { return Paths(strings.Join(list, pathSeparator)) }

// List returns the single paths.
func (p Paths) List() []string {
	if p == "" {
		return nil
	}
	return strings.Split(string(p), pathSeparator)
}

// String names the paths in one line.
func (p Paths) String() string { return strings.Join(p.List(), ", ") }

// Assignment is the value that Config.Set understands.
func (p Paths) Assignment() string {
	list := p.List()
	if len(list) < 2 {
		return string(p)
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // texts have a form in JSON
	}
	return string(text)
}

// MarshalTOML returns the form of the paths in TOML.
func (p Paths) MarshalTOML() ([]byte, error) {
	var value any = string(p)
	if list := p.List(); len(list) > 1 {
		value = list
	}
	text, err := toml.Marshal(map[string]any{"p": value})
	_, text, _ = bytes.Cut(bytes.TrimSpace(text), []byte("= "))
	return text, err
}

// parsePaths reads one path, or a JSON list of them.
func parsePaths(text string) (Paths, error) {
	var list []string
	if !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &list) != nil {
		list = []string{text}
	}
	return checkPaths(list)
}

// pathsFrom takes paths from a list of TOML.
func pathsFrom(values []any) (Paths, error) {
	var list []string
	for _, v := range values {
		path, ok := v.(string)
		if !ok {
			return "", errors.New("is no list of texts")
		}
		list = append(list, path)
	}
	return checkPaths(list)
}

// checkPaths refuses what is no path, or has no form in TOML.
func checkPaths(list []string) (Paths, error) {
	for _, path := range list {
		switch {
		case !utf8.ValidString(path):
			return "", errors.New("is not a text in UTF-8")
		case strings.Contains(path, pathSeparator), path == "" && len(list) > 1:
			return "", errors.New("has an empty path or a zero byte")
		}
	}
	return PathsOf(list...), nil
}
