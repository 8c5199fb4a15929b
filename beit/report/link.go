package report

import (
	"net/url"
	"path/filepath"
	"strings"
)

// LinkTo returns the URL of a file from a page in the folder dir.
func LinkTo(dir, file string) string {
	from, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	path, err := filepath.Rel(from, to)
	if err != nil { // another drive
		return (&url.URL{Scheme: "file", Path: "/" + filepath.ToSlash(to)}).String()
	}
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	if strings.Contains(parts[0], ":") { // else it is a scheme
		parts[0] = "./" + parts[0]
	}
	return strings.Join(parts, "/")
}
