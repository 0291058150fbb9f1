package sense

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// sums are the digests of a file's content, in hexadecimal; empty ones were not
// taken.
type sums struct {
	size              int64
	sha256, sha1, md5 string
}

// fileID is a file with the content that it had.
type fileID struct {
	dev, ino uint64
	size     int64
	changed  int64 // the content, ns since 1970
	status   int64 // anything of it
}

// hasher takes the digests of files, each content once, within a budget of
// bytes. Safe for concurrent use.
type hasher struct {
	mu    sync.Mutex // guards the fields below
	known map[fileID]*sums
	order []fileID
	left  int64 // bytes that may be read now
	at    time.Time
}

const (
	maxSums   = 2048
	maxHashed = 32 << 20  // bytes of one file
	hashBurst = 256 << 20 // bytes after a rest
	hashRate  = 4 << 20   // bytes a second
)

func newHasher() *hasher {
	return &hasher{known: map[fileID]*sums{}, left: hashBurst, at: time.Now()}
}

// allow takes n bytes off the budget, and says whether they are there.
func (h *hasher) allow(n int64) bool {
	now := time.Now()
	h.left = min(h.left+int64(now.Sub(h.at).Seconds()*hashRate), hashBurst)
	h.at = now
	if n > h.left {
		return false
	}
	h.left -= n
	return true
}

// file returns the digests of an open regular file; nil when it is none. Of a
// file beyond the limits there is only the size.
func (h *hasher) file(f *os.File) *sums {
	id, ok := identify(f)
	if !ok {
		return nil
	}
	h.mu.Lock()
	if s := h.known[id]; s != nil {
		h.mu.Unlock()
		return s
	}
	allowed := id.size <= maxHashed && h.allow(id.size)
	h.mu.Unlock()
	if !allowed {
		return &sums{size: id.size}
	}
	s := digest(f, id.size)
	if again, ok := identify(f); !ok || again != id {
		return &sums{size: id.size} // it was changed meanwhile
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[id] == nil {
		for len(h.order) >= maxSums {
			delete(h.known, h.order[0])
			h.order = h.order[1:]
		}
		h.known[id] = s
		h.order = append(h.order, id)
	}
	return s
}

// digest reads size bytes; another length gives no digests.
func digest(r io.Reader, size int64) *sums {
	all := [...]hash.Hash{sha256.New(), sha1.New(), md5.New()}
	n, err := io.CopyBuffer(io.MultiWriter(all[0], all[1], all[2]), io.LimitReader(r, size+1), make([]byte, 64<<10))
	if err != nil || n != size {
		return &sums{size: size}
	}
	hexed := func(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
	return &sums{size: size, sha256: hexed(all[0]), sha1: hexed(all[1]), md5: hexed(all[2])}
}

// identify returns which file an open one is, and what state its content is in.
func identify(f *os.File) (fileID, bool) {
	info, err := f.Stat()
	if err != nil || info.Mode()&fs.ModeType != 0 {
		return fileID{}, false
	}
	return fileIDOf(info)
}
