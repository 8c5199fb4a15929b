package report

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// folderMark is a file that says which command made a folder, in its first line, and what it put there.
const folderMark = ".made-by"

// CheckFolder returns an error unless WriteFolder may put a folder of the same maker at dir: nothing is there, or nothing but what it once wrote.
func CheckFolder(dir, maker string) error {
	entries, err := regular.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: it is no folder that can be replaced: %w", dir, err)
	}
	text, err := regular.ReadFile(filepath.Join(dir, folderMark))
	mark := strings.Split(string(text), "\n")
	if err != nil || mark[0] != maker {
		return fmt.Errorf("%s has files in it, such as %s, and '%s' did not make it: choose another folder", dir, entries[0].Name(), maker)
	}
	names, err := namesIn(dir)
	if err != nil {
		return err
	}
	slices.Sort(mark)
	for _, name := range names {
		if _, own := slices.BinarySearch(mark, name); !own {
			return fmt.Errorf("%s has a file that '%s' did not put there, %s: choose another folder, or move it away", dir, maker, plain.Name(name))
		}
	}
	return nil
}

// namesIn are the names of all files and folders below a folder, as the mark has them.
func namesIn(dir string) (names []string, err error) {
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// WriteFolder makes a folder of files at dir, whole or not at all: write writes them into another folder, which then takes the place of dir. An
// older one of the same maker is replaced, unless somebody put a file there meanwhile; see CheckFolder. Files need not survive a loss of power,
// since they can be made again.
func WriteFolder(dir, maker string, write func(temp string) error) error {
	if err := CheckFolder(dir, maker); err != nil {
		return err
	}
	if err := makeFolder(dir, maker, write); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// makeFolder is WriteFolder where nothing stands in the way.
func makeFolder(dir, maker string, write func(temp string) error) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(dir), fmt.Sprintf(".tmp-%016x", rand.Uint64()))
	if err := os.Mkdir(temp, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(temp) // after a failure, or after a panic
	if err := write(temp); err != nil {
		return err
	}
	if err := mark(temp, maker); err != nil {
		return err
	}
	if err := CheckFolder(dir, maker); err != nil {
		return err
	}
	return swapFolder(dir, temp)
}

// mark writes the file that CheckFolder reads.
func mark(dir, maker string) error {
	names, err := namesIn(dir)
	if err != nil {
		return err
	}
	lines := append([]string{maker, folderMark}, names...)
	return os.WriteFile(filepath.Join(dir, folderMark), []byte(strings.Join(lines, "\n")), 0o666)
}

// swapFolder puts temp at dir, and removes what was there.
func swapFolder(dir, temp string) error {
	old := temp + "-old"
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if failed := os.Rename(temp, dir); failed != nil {
		if err == nil {
			failed = errors.Join(failed, os.Rename(old, dir))
		}
		return failed
	}
	return os.RemoveAll(old)
}

// WriteFile writes a file of a folder that WriteFolder makes.
func WriteFile(name string, write func(w io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewWriter(f)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// WriteJPEG is WriteFile for an image.
func WriteJPEG(name string, m image.Image, quality int) error {
	return WriteFile(name, func(w io.Writer) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: quality}) })
}
