//go:build mpi

package mpi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/dist/disttest"
)

// roleEnv tells a process that the launcher started what it does.
const roleEnv = "BEIT_MPI_ROLE"

// memberTimeout is that of the processes, patience that of the tests with a launcher.
const (
	memberTimeout = 3 * time.Second
	patience      = time.Minute
)

func TestMain(m *testing.M) {
	role := roles[os.Getenv(roleEnv)]
	if role == nil {
		os.Exit(m.Run())
	}
	timeout := memberTimeout
	if os.Getenv(roleEnv) == "check" {
		timeout = patience
	}
	member, err := Init(timeout)
	if err == nil {
		g := dist.Over(member)
		err = role(member, g)
		if err != nil {
			fmt.Printf("rank %d: %v\n", member.Rank(), err)
		}
		err = errors.Join(err, g.Close())
	}
	if err != nil {
		os.Exit(1)
	}
}

// roles are what processes do. What rank 1 does is told by the name.
var roles = map[string]func(m *Member, g dist.Group) error{
	"check": func(m *Member, g dist.Group) error {
		sum, err := disttest.Digest(g)
		if err != nil {
			return err
		}
		if want := disttest.Digests[g.Size()]; g.Size() > 1 && sum != want {
			return fmt.Errorf("digest %s, want %s", sum, want)
		}
		fmt.Printf("digest of %d: right; local rank %d; %.30s\n", g.Size(), m.LocalRank(), m.Library())
		return disttest.Check(g)
	},
	"leaves": func(m *Member, g dist.Group) error {
		if m.Rank() == 1 {
			return nil
		}
		if err := g.AllReduce(make([]float32, 100)); !errors.Is(err, dist.ErrClosed) {
			return fmt.Errorf("error %w, want ErrClosed", err)
		} else {
			fmt.Println(err)
		}
		return nil
	},
	"lengths": func(m *Member, g dist.Group) error { return g.AllReduce(make([]float32, 1+m.Rank())) },
	"stands still": func(m *Member, g dist.Group) error {
		if m.Rank() == 1 {
			time.Sleep(time.Hour)
		}
		return dist.Barrier(g)
	},
	"panics": func(m *Member, g dist.Group) error {
		if m.Rank() == 1 {
			panic("deliberate")
		}
		time.Sleep(time.Hour)
		return nil
	},
	"is killed": func(m *Member, g dist.Group) error {
		if m.Rank() == 1 {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		time.Sleep(time.Hour)
		return nil
	},
	"recovers": func(m *Member, g dist.Group) error {
		func() {
			defer func() { fmt.Println("recovered:", recover()) }()
			var nothing *Member
			nothing.rank++
		}()
		return disttest.Check(g)
	},
}

// launched starts n processes of this program in a role.
func launched(t *testing.T, n int, role string) (output string, err error) {
	t.Helper()
	if _, err := exec.LookPath(Launcher); err != nil {
		t.Skipf("%s is not installed", Launcher)
	}
	args := []string{"-np", fmt.Sprint(n)}
	if strings.Contains(Launcher, "openmpi") {
		args = append([]string{"--allow-run-as-root", "--oversubscribe"}, args...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, Launcher, append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role, "UCX_ERROR_SIGNALS=")
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s: the job had not ended after %v:\n%s", role, patience, text)
	}
	t.Logf("%s, %d processes: %v\n%s", role, n, err, text)
	return string(text), err
}

func TestMembers(t *testing.T) {
	for n := 1; n <= 4; n++ {
		text, err := launched(t, n, "check")
		if err != nil || strings.Count(text, fmt.Sprintf("digest of %d: right; local rank", n)) != n {
			t.Errorf("%d processes: %v", n, err)
		}
	}
}

// A process that leaves ends the others' calls, and all end without help.
func TestLeaves(t *testing.T) {
	text, err := launched(t, 3, "leaves")
	if err != nil || strings.Count(text, "rank 1 has left the group") != 2 {
		t.Error(err)
	}
}

// What ends a job of which rank 1 goes wrong, and what is told of it.
func TestEnds(t *testing.T) {
	for role, want := range map[string]string{
		"lengths":      "rank 1 makes the call AllReduce of 2 values",
		"stands still": "rank 1 did not answer within 3s",
		"panics":       "panic: deliberate",
		"is killed":    "ignal", // as each launcher tells it
	} {
		text, err := launched(t, 2, role)
		if err == nil || !strings.Contains(text, want) {
			t.Errorf("rank 1 %s: error %v, output without %q", role, err, want)
		}
	}
}

// Signal handlers of the MPI library leave Go's in place.
func TestRecovers(t *testing.T) {
	text, err := launched(t, 2, "recovers")
	if err != nil || strings.Count(text, "recovered: runtime error: invalid memory address") != 2 {
		t.Error(err)
	}
}
