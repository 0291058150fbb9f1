//go:build unix

package respond

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// checkProgram refuses a program that others than root may have changed.
func checkProgram(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a program", path)
	case st.Uid != 0 || info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%q is not started: it belongs to somebody else than root, or others may change it", path)
	}
	return nil
}

// ownGroup lets a program and all that it starts end together.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}
