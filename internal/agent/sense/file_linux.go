package sense

import (
	"io/fs"
	"syscall"
)

// fileIDOf returns which file it is, and what state its content is in.
func fileIDOf(info fs.FileInfo) (fileID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false
	}
	return fileID{dev: st.Dev, ino: st.Ino, size: st.Size, changed: st.Mtim.Nano(), status: st.Ctim.Nano()}, true
}
