package rig

import "syscall"

// dieWithParent ends a started program when the test or benchmark itself is killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
