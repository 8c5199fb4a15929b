package run

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/nn/state"
)

// Names in a run folder.
const (
	ConfigFile    = "config.toml"
	MetricsFile   = "metrics.jsonl"
	StatusFile    = "status.json"
	CheckpointDir = "checkpoints"
	BestFile      = "best.safetensors"
	ReportFile    = "report.html"
	LockFile      = ".lock" // empty; locked while a run is under way
)

// WriteFunc replaces a file as a whole or not at all. It is state.WriteFileAtomic, or in tests one that fails like a full disk.
type WriteFunc func(path string, write func(w io.Writer) error) error

// Exists reports whether dir holds a run, finished or not.
func Exists(dir string) bool { return isFile(filepath.Join(dir, ConfigFile)) }

// Finished reports whether dir holds the finished model modelName.
func Finished(dir, modelName string) bool { return isFile(filepath.Join(dir, modelName)) }

// FolderOf returns the folder of the run that a model file or checkpoint lies in.
func FolderOf(file string) string {
	dir := filepath.Dir(file)
	if filepath.Base(dir) == CheckpointDir {
		return filepath.Dir(dir)
	}
	return dir
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Prepare creates dir and its folder of checkpoints if needed, and removes files that a crash left half-written. The caller has claimed dir.
func Prepare(dir string) error {
	folders := []string{dir, filepath.Join(dir, CheckpointDir)}
	if err := os.MkdirAll(folders[1], 0o777); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	for _, folder := range folders {
		if err := state.CleanTemp(folder); err != nil {
			return err
		}
	}
	return nil
}
