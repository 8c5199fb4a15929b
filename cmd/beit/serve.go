package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/serve"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// serveCmd is "beit serve".
type serveCmd struct {
	Folder string `arg:"" optional:"" default:"runs" placeholder:"FOLDER" help:"Folder that the runs lie in or below (runs)."`
	Addr   string `default:"127.0.0.1:7350" placeholder:"HOST:PORT" help:"Address to listen at (127.0.0.1:7350). Only this machine can reach the usual one; there is no password."`
}

// Run serves the dashboard until the command is interrupted.
func (c *serveCmd) Run(a *app) error {
	if err := checkRunsFolder(c.Folder); err != nil {
		return err
	}
	runs := 0
	if err := model.Walk(a.ctx, c.Folder, func(string, error) { runs++ }); err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return c.explain(err)
	}
	s := serve.New(c.Folder, serve.Options{Addr: c.Addr, Device: a.dev, Shell: experiment.ShellLine})
	defer s.Close()
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		fmt.Fprintf(a.errOut, "beit: warning: whoever reaches this machine at %s sees the runs in %s\n", l.Addr(), plain.Name(c.Folder))
	}
	if runs == 0 {
		fmt.Fprintf(a.errOut, "there are no runs in %s yet; the page shows them when they begin\n", plain.Name(c.Folder))
	}
	at := l.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() { // every address of this machine
		at.IP = net.IPv4(127, 0, 0, 1)
	}
	if _, err := fmt.Fprintf(a.out, "http://%s/ shows the runs in %s; ^C ends\n", at, plain.Name(c.Folder)); err != nil {
		return err
	}
	return s.Serve(a.ctx, l)
}

// explain says what to do where an address cannot be had.
func (c *serveCmd) explain(err error) error {
	var wrong *net.AddrError
	if errors.As(err, &wrong) {
		return usagef("--addr %s: %s; wanted is HOST:PORT, such as 127.0.0.1:7350", c.Addr, wrong.Err)
	}
	return fmt.Errorf("%w; choose another address or port by --addr", err)
}
