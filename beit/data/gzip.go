package data

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// maxUnpacked bounds how large an archive may become when it is unpacked.
const maxUnpacked = 1 << 40

// openGzip opens a .tar file that is compressed with gzip. Its images are read in any order, so it is unpacked into a temporary file.
func openGzip(file io.Reader, name string, limits Limits, options []Option) (*Source, error) {
	tmp, size, err := gunzip(file, maxUnpacked)
	if regular.DiskFull(err) {
		return nil, fmt.Errorf("%s: no room to unpack it in %s: name a larger folder in TMPDIR, or unpack it by hand: %w", name, os.TempDir(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: unpack: %w", name, err)
	}
	src, err := openArchive(tmp, tmp.Close, name, "tar.gz", limits, options, func() (fs.FS, error) {
		if kind, err := sniffHead(io.NewSectionReader(tmp, 0, size)); err == nil && kind.Name != "" && kind.Short != "tar" {
			return nil, fmt.Errorf("in the gzip compression is no archive: %s", kind.Complaint("a .tar file"))
		}
		return NewTarFS(tmp, size)
	})
	if err != nil {
		tmp.Close()
	}
	return src, err
}

// tempFile is a temporary file, which is gone when it is closed.
type tempFile struct {
	*os.File
	removed bool // its name is gone already: the file is gone too when the process ends, however it does
}

// Close closes and removes the file.
func (s *tempFile) Close() error {
	err := s.File.Close()
	if !s.removed {
		err = errors.Join(err, os.Remove(s.Name()))
	}
	return err
}

// gunzip unpacks r into a temporary file, of limit bytes at most.
func gunzip(r io.Reader, limit int64) (tmp *tempFile, size int64, err error) {
	unpack, err := gzip.NewReader(r)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.CreateTemp("", "beit-*.tar")
	if err != nil {
		return nil, 0, err
	}
	tmp = &tempFile{File: f, removed: os.Remove(f.Name()) == nil}
	size, err = io.Copy(tmp, io.LimitReader(unpack, limit+1))
	if err == nil && size > limit {
		err = fmt.Errorf("it holds more than %d bytes", limit)
	}
	if err != nil {
		tmp.Close()
		return nil, 0, err
	}
	return tmp, size, nil
}
