package hostmem

import (
	"testing"
	"testing/fstest"
)

// machine are the files of a machine with 16 GiB available, and more.
func machine(more map[string]string) fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"proc/meminfo":     "MemTotal:       33554432 kB\nMemAvailable:   16777216 kB\nSwapFree:        1048576 kB\n",
		"proc/self/status": "Name:\tbeit\nVmSize:\t    2048 kB\nRssAnon:\t    1024 kB\nVmSwap:\t      64 kB\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range more {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestAvailable(t *testing.T) {
	const gib = 1 << 30
	v1 := "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
		"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no groups": {nil, 16 * gib},
		"version 2, a limit above the group": {map[string]string{
			"proc/self/cgroup":                 "0::/a/b\n",
			"proc/self/mountinfo":              "25 23 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/a/memory.max":       "4294967296\n",
			"sys/fs/cgroup/a/memory.current":   "2147483648\n",
			"sys/fs/cgroup/a/memory.stat":      "anon 5\ninactive_file 1073741824\nactive_file 0\n",
			"sys/fs/cgroup/a/b/memory.max":     "max\n",
			"sys/fs/cgroup/a/b/memory.current": "2147483648\n",
		}, 3 * gib},
		"version 2, in a container": {map[string]string{
			"proc/self/cgroup":             "0::/../../docker/1234\n",
			"proc/self/mountinfo":          "25 23 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/memory.max":     "1073741824\n",
			"sys/fs/cgroup/memory.current": "0\n",
		}, gib},
		"version 1": {map[string]string{
			"proc/self/cgroup":                               "9:name=systemd:/\n5:memory,hugetlb:/x/y\n1:cpu:/\n0::/\n",
			"proc/self/mountinfo":                            v1,
			"sys/fs/cgroup/memory/x/y/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory/x/y/memory.usage_in_bytes": "4096\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes":   "8589934592\n",
			"sys/fs/cgroup/memory/x/memory.usage_in_bytes":   "4294967296\n",
			"sys/fs/cgroup/memory/x/memory.stat":             "cache 1\ntotal_inactive_file 0\ntotal_active_file 2147483648\n",
		}, 5 * gib},
		"version 1, the group is the root of the mount": {map[string]string{
			"proc/self/cgroup":                           "4:memory:/docker/1234\n",
			"proc/self/mountinfo":                        "35 31 0:32 /docker/1234 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes": "3147483648\n",
		}, 0},
	} {
		s, ok := look(machine(c.files))
		if !ok || s.Available != c.want || s.Swap != gib || s.Resident != 1088<<10 {
			t.Errorf("%s: %+v, %v; want %d available", name, s, ok, c.want)
		}
	}
	if _, ok := look(fstest.MapFS{}); ok {
		t.Error("something is known of a system without files")
	}
	if bytes, ok := Available(); !ok || bytes < 1<<20 {
		t.Errorf("this machine has %d bytes, %v", bytes, ok)
	}
}
