package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// process makes the command as a process of its own.
func process(t *testing.T, args ...string) (cmd *exec.Cmd, errOut *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, errOut = exec.CommandContext(t.Context(), self, args...), &bytes.Buffer{}
	cmd.Env = append(os.Environ(), "BEIT_TEST_COMMAND=1")
	cmd.Stderr = errOut
	return cmd, errOut
}
