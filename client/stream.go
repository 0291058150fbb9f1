package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Trailers of an export.
const (
	trailerRows = "X-Picket-Rows"
	trailerHash = "X-Picket-Sha256"
)

// ErrCut says that a stream ended before its end, or is not what the server sent.
var ErrCut = errors.New("the export is not whole")

// Stream is an answer that is read as it comes. It is for one goroutine.
type Stream struct {
	Name string // of the file, as the server calls it; "" when it does not say, or nothing that is a plain name
	Type string // media type

	resp *http.Response
	sum  hash.Hash
	done bool
}

func newStream(resp *http.Response) *Stream {
	return &Stream{Name: fileName(resp.Header.Get("Content-Disposition")), Type: resp.Header.Get("Content-Type"), resp: resp, sum: sha256.New()}
}

// Read reads what the server sends.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.resp.Body.Read(p)
	_, _ = s.sum.Write(p[:n])
	s.done = s.done || err == io.EOF
	return n, err
}

// Close ends the stream; what was not read is not sent.
func (s *Stream) Close() error { return s.resp.Body.Close() }

// Check reports, after the end, how many rows the server counted and whether
// what was read is what it sent. An error is ErrCut.
func (s *Stream) Check() (rows int64, err error) {
	if !s.done {
		return 0, fmt.Errorf("%w: it was not read to its end", ErrCut)
	}
	want := s.resp.Trailer.Get(trailerHash)
	if want == "" {
		return 0, fmt.Errorf("%w: the server did not say what it sent", ErrCut)
	}
	if got := hex.EncodeToString(s.sum.Sum(nil)); got != want {
		return 0, fmt.Errorf("%w: its SHA-256 is %s, the server sent %s", ErrCut, got, want)
	}
	if rows, err = strconv.ParseInt(s.resp.Trailer.Get(trailerRows), 10, 64); err != nil {
		return 0, fmt.Errorf("%w: the server did not say how many rows it sent", ErrCut)
	}
	return rows, nil
}

// fileName is the last part of the name that a header gives to a file.
func fileName(disposition string) string {
	_, params, err := mime.ParseMediaType(disposition)
	if err != nil || params["filename"] == "" {
		return ""
	}
	name := path.Base(strings.ReplaceAll(params["filename"], `\`, "/"))
	odd := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`:*?"<>|`, r) }
	if len(name) > 255 || !utf8.ValidString(name) || name != strings.Trim(name, "./ ") || !filepath.IsLocal(name) || strings.ContainsFunc(name, odd) || deviceName(name) {
		return "" // no name that a program may use as it is
	}
	return name
}

// deviceName reports whether Windows takes a name for a device, whatever its extension.
func deviceName(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimSpace(stem)
	if len(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT") {
		return stem[3] >= '0' && stem[3] <= '9'
	}
	return slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}, stem)
}
