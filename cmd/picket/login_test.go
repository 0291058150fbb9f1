package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// lockHolder makes a process of this test hold a lock, says so, and waits.
const lockHolder = "PICKET_TEST_HOLDS"

// One process at a time holds a login; the lock of one that was killed is free at
// once, whatever files it left.
func TestLoginsAreHeldByOneProcess(t *testing.T) {
	if file := os.Getenv(lockHolder); file != "" {
		if _, err := lockFile(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("held\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	file := filepath.Join(t.TempDir(), "picket", "login.json")
	held := exec.Command(os.Args[0], "-test.run=^TestLoginsAreHeldByOneProcess$")
	held.Env = append(os.Environ(), lockHolder+"="+file)
	stdin, err := held.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := held.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatal(line, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lockFile(gone, file); !errors.Is(err, context.Canceled) {
		t.Errorf("held by another process: %v", err)
	}
	if err := held.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = held.Wait() // it was killed
	unlock, err := lockFile(gone, file)
	if err != nil {
		t.Fatalf("of a process that was killed: %v", err)
	}
	if _, err := lockFile(gone, file); !errors.Is(err, context.Canceled) {
		t.Errorf("held by this process: %v", err)
	}
	free := make(chan error, 1)
	go func() {
		next, err := lockFile(t.Context(), file)
		if err == nil {
			next()
		}
		free <- err
	}()
	unlock()
	if err := <-free; err != nil {
		t.Errorf("after it was let go: %v", err)
	}
	if info, err := os.Stat(file + ".lock"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the lock: %v, %v", info, err)
	}
}
