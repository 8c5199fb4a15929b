package hostmem

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// look reads the files that the kernel writes, below the root of a file system.
func look(root fs.FS) (s Status, ok bool) {
	machine := fields(root, "proc/meminfo")
	s.Available, ok = machine["MemAvailable:"]
	if !ok {
		return s, false
	}
	own := fields(root, "proc/self/status")
	kib := func(n int64) int64 { return n << 10 }
	s.Available, s.Swap, s.Resident = kib(s.Available), kib(machine["SwapFree:"]), kib(own["RssAnon:"]+own["VmSwap:"])
	for _, group := range groups(root) {
		if room, ok := group.room(root); ok {
			s.Available = min(s.Available, room)
		}
	}
	var limit syscall.Rlimit
	s.Available, s.Address = max(s.Available, 0), math.MaxInt64
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < 1<<62 {
		s.Address = max(int64(limit.Cur)-kib(own["VmSize:"]), 0)
	}
	return s, true
}

// group is a control group that limits memory: this process is in it, or in one below it.
type group struct {
	dir              string // of its files
	limit, usage     string // names of files
	inactive, active string // fields of memory.stat: pages of files, which the kernel can drop
}

// groups lists the control groups of this process, of both versions, up to the roots.
func groups(root fs.FS) (list []group) {
	for line := range strings.Lines(read(root, "proc/self/cgroup")) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, at, _ := strings.Cut(rest, ":")
		kind, g := "", group{}
		switch {
		case controllers == "":
			kind, g = "cgroup2", group{limit: "memory.max", usage: "memory.current", inactive: "inactive_file", active: "active_file"}
		case strings.Contains(","+controllers+",", ",memory,"):
			kind, g = "cgroup", group{
				limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", inactive: "total_inactive_file", active: "total_active_file",
			}
		default:
			continue
		}
		mount, below, ok := mounted(root, kind, at)
		for ok {
			g.dir = path.Join(mount, below)
			list = append(list, g)
			if below == "." || below == "/" {
				break
			}
			below = path.Dir(below)
		}
	}
	return list
}

// mounted finds where the control groups of a version are mounted, and the group at a path below that.
func mounted(root fs.FS, kind, at string) (mount, below string, ok bool) {
	for line := range strings.Lines(read(root, "proc/self/mountinfo")) {
		before, after, _ := strings.Cut(line, " - ")
		about, source := strings.Fields(before), strings.Fields(after)
		if len(about) < 5 || len(source) < 3 || source[0] != kind {
			continue
		}
		if kind == "cgroup" && !strings.Contains(","+source[2]+",", ",memory,") {
			continue
		}
		below, inside := strings.CutPrefix(at, strings.TrimSuffix(about[3], "/"))
		if !inside || strings.Contains(below, "..") { // a container that sees its own group as the root
			below = "/"
		}
		return strings.TrimPrefix(about[4], "/"), path.Join("/", below), true
	}
	return "", "", false
}

// room is what the group's limit leaves; ok is false without a limit.
func (g group) room(root fs.FS) (bytes int64, ok bool) {
	number := func(name string) (int64, error) {
		return strconv.ParseInt(strings.TrimSpace(read(root, path.Join(g.dir, name))), 10, 64)
	}
	limit, err := number(g.limit) // "max" is no number
	if err != nil {
		return 0, false
	}
	usage, err := number(g.usage)
	if err != nil {
		return 0, false
	}
	stat := fields(root, path.Join(g.dir, "memory.stat"))
	return limit - usage + stat[g.inactive] + stat[g.active]/2, true // as MemAvailable counts them
}

// read is the content of a file, empty where it cannot be read.
func read(root fs.FS, name string) string {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// fields reads lines of a name and a number.
func fields(root fs.FS, name string) map[string]int64 {
	values := map[string]int64{}
	for line := range strings.Lines(read(root, name)) {
		if words := strings.Fields(line); len(words) > 1 {
			if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
				values[words[0]] = n
			}
		}
	}
	return values
}
