package traintest

import (
	"path/filepath"
	"testing"
)

// DALLE is the path of a tiny encoder of DALL-E with 23 codes, for tests in a folder below beit: the whole module as a pickle, as it is published.
func DALLE(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "testdata", "oracle-methods", "dalle", "encoder_legacy.pkl"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
