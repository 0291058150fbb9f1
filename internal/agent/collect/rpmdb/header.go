package rpmdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Package is what one header says. Strings are copies.
type Package struct {
	Name, Version, Release string
	Epoch                  string // decimal; empty when the header has no epoch tag
	Arch                   string
	SourceRPM              string // file name of the source package
	Vendor                 string
	Modularity             string // full label "name:stream:version:context"
	Summary                string
	Installed              time.Time // zero when the header does not say
}

// EVR is "epoch:version-release", without the first part where there is no epoch tag.
func (p *Package) EVR() string { return p.evr(p.Version, p.Release) }

func (p *Package) evr(version, release string) string {
	s := version
	if release != "" {
		s += "-" + release
	}
	if p.Epoch != "" {
		s = p.Epoch + ":" + s
	}
	return s
}

// Source returns name and EVR of the source package, by the source package's
// file name ("openssl-3.0.7-27.el9.src.rpm") and the binary package's epoch.
// A package without one is its own source.
func (p *Package) Source() (name, evr string) {
	s := strings.TrimSuffix(p.SourceRPM, ".rpm")
	if s, ok := strings.CutSuffix(s, ".src"); ok {
		return p.splitSource(s)
	}
	if s, ok := strings.CutSuffix(s, ".nosrc"); ok {
		return p.splitSource(s)
	}
	return p.Name, p.EVR()
}

func (p *Package) splitSource(s string) (name, evr string) {
	if r := strings.LastIndexByte(s, '-'); r > 0 {
		if v := strings.LastIndexByte(s[:r], '-'); v > 0 {
			return s[:v], p.evr(s[v+1:r], s[r+1:])
		}
	}
	return p.Name, p.EVR()
}

// Module is the "name:stream" of the modularity label; empty when there is none.
func (p *Package) Module() string {
	parts := strings.SplitN(p.Modularity, ":", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + ":" + parts[1]
}

// Tags of a header (rpmtag.h).
const (
	tagName       = 1000
	tagVersion    = 1001
	tagRelease    = 1002
	tagEpoch      = 1003
	tagSummary    = 1004
	tagInstalled  = 1008
	tagVendor     = 1011
	tagArch       = 1022
	tagOldFiles   = 1027
	tagSourceRPM  = 1044
	tagDirIndexes = 1116
	tagBaseNames  = 1117
	tagDirNames   = 1118
	tagModularity = 5096

	typeInt32  = 4
	typeString = 6
	typeArray  = 8
	typeI18N   = 9
)

// maxText is the longest string value that is kept whole, in bytes.
const maxText = 64 << 10

// header gives access to the index and data store of a blob.
type header struct {
	index []byte // entries of 16 bytes: tag, type, offset, count (big-endian)
	data  []byte
}

func open(blob []byte) (header, error) {
	if len(blob) < 8 {
		return header{}, fmt.Errorf("%w: header of %d bytes", errRecord, len(blob))
	}
	il, dl := int64(binary.BigEndian.Uint32(blob)), int64(binary.BigEndian.Uint32(blob[4:]))
	if il < 1 || il > 1<<16 || 8+il*16+dl > int64(len(blob)) {
		return header{}, fmt.Errorf("%w: header with %d entries and %d bytes of data in %d bytes", errRecord, il, dl, len(blob))
	}
	return header{blob[8 : 8+il*16], blob[8+il*16 : 8+il*16+dl]}, nil
}

// each calls fn for every entry whose offset lies inside the data.
func (h header) each(fn func(tag, kind uint32, data []byte, count uint32)) {
	for i := 0; i+16 <= len(h.index); i += 16 {
		e := h.index[i : i+16]
		if off := int64(int32(binary.BigEndian.Uint32(e[8:]))); off >= 0 && off < int64(len(h.data)) {
			fn(binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:]), h.data[off:], binary.BigEndian.Uint32(e[12:]))
		}
	}
}

// Parse reads the tags of a header that an inventory needs. The error says that
// the header is damaged or has no name.
func Parse(blob []byte) (*Package, error) {
	h, err := open(blob)
	if err != nil {
		return nil, err
	}
	p := &Package{}
	h.each(func(tag, kind uint32, data []byte, _ uint32) {
		switch tag {
		case tagName:
			text(&p.Name, kind, data)
		case tagVersion:
			text(&p.Version, kind, data)
		case tagRelease:
			text(&p.Release, kind, data)
		case tagArch:
			text(&p.Arch, kind, data)
		case tagSourceRPM:
			text(&p.SourceRPM, kind, data)
		case tagVendor:
			text(&p.Vendor, kind, data)
		case tagSummary:
			text(&p.Summary, kind, data)
		case tagModularity:
			text(&p.Modularity, kind, data)
		case tagEpoch:
			if kind == typeInt32 && len(data) >= 4 {
				p.Epoch = strconv.FormatUint(uint64(binary.BigEndian.Uint32(data)), 10)
			}
		case tagInstalled:
			if kind == typeInt32 && len(data) >= 4 {
				p.Installed = time.Unix(int64(binary.BigEndian.Uint32(data)), 0).UTC()
			}
		}
	})
	if p.Name == "" {
		return nil, fmt.Errorf("%w: header without a name", errRecord)
	}
	return p, nil
}

func text(to *string, kind uint32, data []byte) {
	if kind != typeString && kind != typeI18N && kind != typeArray {
		return
	}
	data = data[:min(len(data), maxText)]
	if end := bytes.IndexByte(data, 0); end >= 0 {
		data = data[:end]
	}
	if s := string(data); s != "(none)" {
		*to = s
	}
}

// Files calls fn with the absolute path of every file of the package until fn
// returns false. The slice is valid during the call only.
func Files(blob []byte, fn func(path []byte) bool) error {
	h, err := open(blob)
	if err != nil {
		return err
	}
	var dirs [][]byte
	var bases, indexes, old []byte
	var baseCount, oldCount uint32
	h.each(func(tag, kind uint32, data []byte, count uint32) {
		switch {
		case tag == tagDirNames && kind == typeArray:
			rest := data
			for i := uint32(0); i < count && len(rest) > 0; i++ {
				var d []byte
				d, rest, _ = bytes.Cut(rest, []byte{0})
				dirs = append(dirs, d)
			}
		case tag == tagBaseNames && kind == typeArray:
			bases, baseCount = data, count
		case tag == tagDirIndexes && kind == typeInt32:
			indexes = data
		case tag == tagOldFiles && kind == typeArray:
			old, oldCount = data, count
		}
	})
	var path []byte
	for i := uint32(0); i < baseCount && len(bases) > 0 && int(i)*4+4 <= len(indexes); i++ {
		var b []byte
		b, bases, _ = bytes.Cut(bases, []byte{0})
		d := binary.BigEndian.Uint32(indexes[i*4:])
		if int64(d) >= int64(len(dirs)) {
			continue
		}
		path = append(append(path[:0], dirs[d]...), b...)
		if !fn(path) {
			return nil
		}
	}
	for i := uint32(0); i < oldCount && len(old) > 0; i++ {
		var f []byte
		f, old, _ = bytes.Cut(old, []byte{0})
		if !fn(f) {
			return nil
		}
	}
	return nil
}
