package respond

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// programs are those that actions may start, and where they may be.
var programs = map[string][]string{
	"nft":                   {"/usr/sbin", "/sbin", "/usr/bin"},
	"iptables-legacy-save":  {"/usr/sbin", "/sbin"},
	"ip6tables-legacy-save": {"/usr/sbin", "/sbin"},
	"systemctl":             {"/usr/bin", "/bin"},
	"journalctl":            {"/usr/bin", "/bin"},
	"clamscan":              {"/usr/bin", "/usr/local/bin"},
}

// programEnv is the whole environment of a program.
var programEnv = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=/", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "TZ=UTC"}

// errNoProgram says that a program is not installed.
var errNoProgram = errors.New("not installed")

// program is where an allowed program is. It must belong to root, and nobody
// else may be able to change it.
func program(name string) (string, error) {
	dirs, ok := programs[name]
	if !ok {
		return "", fmt.Errorf("%q is not a program that the agent may start", name)
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		if err := checkProgram(real); err != nil {
			return "", err
		}
		return path, nil
	}
	return "", fmt.Errorf("%s: %w", name, errNoProgram)
}

// command prepares an allowed program. It ends with ctx, and whatever it has
// started ends with it.
func command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = programEnv, "/", 2*time.Second
	ownGroup(cmd)
	return cmd, nil
}

// output runs an allowed program and passes on what it says. An error holds the
// end of what it says on stderr.
func output(ctx context.Context, w io.Writer, name string, args ...string) error {
	cmd, err := command(ctx, name, args...)
	if err != nil {
		return err
	}
	var stderr tail
	out := &noted{w: w}
	cmd.Stdout, cmd.Stderr = out, &stderr
	if err := cmd.Run(); err != nil {
		if out.err != nil { // the program ended because nobody took what it said
			return out.err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w%s", name, err, stderr.suffix())
	}
	return nil
}

// noted keeps the error of a writer.
type noted struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (n *noted) Write(p []byte) (int, error) {
	k, err := n.w.Write(p)
	if err != nil {
		n.err = err
	}
	return k, err
}

// tail keeps the end of a text.
type tail struct{ b []byte }

const maxTail = 1 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - maxTail; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

// suffix is the text as the end of an error.
func (t *tail) suffix() string {
	text := strings.Join(strings.Fields(string(bytes.ToValidUTF8(t.b, []byte("?")))), " ")
	if text == "" {
		return ""
	}
	return ": " + redactText(text)
}
