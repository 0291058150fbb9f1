package sense

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// fileNotice is a record of fanotify.
type fileNotice struct {
	mask uint64
	pid  uint32
	// Where it happened: the handle of a directory and a name in it. Of a rename
	// there are two, either of which may be missing.
	at, from, to place
}

type place struct {
	dir  string // handle, as bytes
	name string
}

const (
	noticeHead = 24
	infoName   = 2  // directory and name
	infoOld    = 10 // of a rename, where it was
	infoNew    = 12 // and is
)

var errNotice = errors.New("not a record of fanotify")

// parseNotices reads what the kernel gives for one read.
func parseNotices(b []byte) ([]fileNotice, error) {
	var out []fileNotice
	for len(b) > 0 {
		if len(b) < noticeHead {
			return out, errNotice
		}
		size, head := int(binary.NativeEndian.Uint32(b)), int(binary.NativeEndian.Uint16(b[6:]))
		if size < noticeHead || size > len(b) || head < noticeHead || head > size {
			return out, errNotice
		}
		n := fileNotice{mask: binary.NativeEndian.Uint64(b[8:]), pid: uint32(max(int32(binary.NativeEndian.Uint32(b[20:])), 0))}
		for info := b[head:size]; len(info) >= 4; {
			typ, length := info[0], int(binary.NativeEndian.Uint16(info[2:]))
			if length < 4 || length > len(info) {
				return out, errNotice
			}
			p, err := parsePlace(info[4:length])
			switch {
			case typ != infoName && typ != infoOld && typ != infoNew:
			case err != nil:
				return out, err
			case typ == infoName:
				n.at = p
			case typ == infoOld:
				n.from = p
			default:
				n.to = p
			}
			info = info[length:]
		}
		out = append(out, n)
		b = b[size:]
	}
	return out, nil
}

// parsePlace reads a file system's number, a handle and a name.
func parsePlace(b []byte) (place, error) {
	if len(b) < 16 {
		return place{}, errNotice
	}
	size := int(binary.NativeEndian.Uint32(b[8:]))
	if size > 128 || 16+size > len(b) {
		return place{}, errNotice
	}
	name, _, _ := bytes.Cut(b[16+size:], []byte{0})
	return place{dir: string(b[:16+size]), name: string(name)}, nil
}
