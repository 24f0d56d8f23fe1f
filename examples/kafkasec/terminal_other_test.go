//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

func terminal(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("a terminal is opened on Linux only: the script needs [!linux] skip")
}
