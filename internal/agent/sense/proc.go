package sense

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
)

// stat is what is used of /proc/PID/stat.
type stat struct {
	pid, parent uint32
	start       uint64 // ticks since boot
	kernel      bool   // a thread of the kernel
}

// kernelThread is the kernel's flag of its own threads.
const kernelThread = 0x00200000

var errStat = errors.New("not the form of /proc/PID/stat")

// parseStat reads /proc/PID/stat. The name of the program may hold anything.
func parseStat(raw []byte) (stat, error) {
	open, end := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
	if open < 1 || end < open {
		return stat{}, errStat
	}
	f := strings.Fields(string(raw[end+1:]))
	if len(f) < 20 {
		return stat{}, errStat
	}
	pid, err := strconv.ParseUint(strings.TrimSpace(string(raw[:open])), 10, 32)
	parent, err2 := strconv.ParseUint(f[1], 10, 32)
	flags, err3 := strconv.ParseUint(f[6], 10, 64)
	start, err4 := strconv.ParseUint(f[19], 10, 64)
	if errors.Join(err, err2, err3, err4) != nil {
		return stat{}, errStat
	}
	return stat{pid: uint32(pid), parent: uint32(parent), start: start, kernel: flags&kernelThread != 0}, nil
}

// parseStatus returns the accounts of /proc/PID/status.
func parseStatus(text string) (uid, euid uint32, ok bool) {
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, "Uid:")
		if !found {
			continue
		}
		f := strings.Fields(rest)
		if len(f) < 2 {
			return 0, 0, false
		}
		a, err := strconv.ParseUint(f[0], 10, 32)
		b, err2 := strconv.ParseUint(f[1], 10, 32)
		return uint32(a), uint32(b), err == nil && err2 == nil
	}
	return 0, 0, false
}

// containerOf finds the id of a container in names of control groups: 64
// hexadecimal digits, by whatever program and between whatever words.
func containerOf(text string) string {
	run := 0
	for i := range len(text) {
		c := text[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' {
			run++
		} else {
			run = 0
		}
		if run == 64 && (i+1 == len(text) || !isHex(text[i+1])) && (i == 63 || !isHex(text[i-64])) {
			return text[i-63 : i+1]
		}
	}
	return ""
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// readCapped reads a file, or as much of it as is allowed.
func readCapped(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
