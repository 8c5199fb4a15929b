package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command says where the dashboard is, serves it, and ends without an error when it is interrupted.
func TestServe(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "tokenizer"), os.DirFS(trainedRuns(t).tokenizer)); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct{ folder, addr, page, warning string }{
		{root, "127.0.0.1:0", "tokenizer", ""},
		{empty, "127.0.0.1:0", "no runs here yet", "there are no runs in " + empty + " yet"},
		{root, ":0", "tokenizer", "warning: whoever reaches this machine at"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		from, to := io.Pipe()
		var errOut bytes.Buffer
		ended := make(chan int)
		go func() {
			defer to.Close()
			ended <- execute(ctx, []string{"serve", c.folder, "--addr", c.addr}, to, &errOut)
		}()
		line, err := bufio.NewReader(from).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		url, _, _ := strings.Cut(line, " ")
		_, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		answer, err := http.Get("http://localhost:" + port)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(page), c.page) {
			t.Errorf("%s: status %s, error %v, page %s", c.addr, answer.Status, err, page)
		}
		stop()
		if status := <-ended; status != statusOK || !strings.Contains(errOut.String(), c.warning) || (errOut.Len() == 0) != (c.warning == "") {
			t.Errorf("%s: status %d, errors %q", c.addr, status, errOut.String())
		}
	}
}

// A port that somebody has is an error of one line.
func TestServeAtATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	status, out, errOut := beitRun(t, "serve", t.TempDir(), "--addr", l.Addr().String())
	if status != statusFailure || out != "" || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, "--addr") {
		t.Errorf("status %d, output %q, errors %q", status, out, errOut)
	}
}
