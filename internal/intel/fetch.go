package intel

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// remembered is what the store keeps of an upstream address between syncs.
type remembered struct {
	URL      string    `json:"url"`
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"last_modified,omitempty"`
	SHA      string    `json:"sha256,omitempty"` // of the unpacked content that was loaded
	At       time.Time `json:"at"`               // of the last answer
	Loaded   time.Time `json:"loaded,omitzero"`  // of the last content that was taken
}

func (s *Store) recall(name string) (m remembered) {
	_ = s.View(func(sn *Snapshot) error { // no memory is an answer too
		m = recalled(sn.tx, name)
		return nil
	})
	return m
}

func recalled(tx *bolt.Tx, name string) (m remembered) {
	if raw := tx.Bucket(bucketSource).Get([]byte(name)); raw != nil && json.Unmarshal(raw, &m) != nil {
		return remembered{} // what cannot be read is asked for again
	}
	return m
}

func (s *Store) remember(name string, m remembered) error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.update(func(tx *bolt.Tx) error { return putJSON(tx.Bucket(bucketSource), []byte(name), m) })
}

// maxDownload bounds one file.
const maxDownload = 8 << 30

// Back-off between attempts: doubling, with jitter, bounded.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 30 * time.Second
	maxWait    = 2 * time.Minute // longest Retry-After that is waited for
)

// SyncClient returns an HTTP client for Sync with a proxy as in http.Transport.
func SyncClient(proxy func(*http.Request) (*url.URL, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 proxy,
			DialContext:           (&net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   20 * time.Second,
			ResponseHeaderTimeout: 60 * time.Second,
			IdleConnTimeout:       30 * time.Second,
			MaxIdleConnsPerHost:   2,
			DisableCompression:    true, // sizes and ranges are those of the file
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 8 {
				return errors.New("more than 8 redirects")
			}
			if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
				return errors.New("redirect from https to " + req.URL.Scheme)
			}
			return nil
		},
	}
}

// fetched is a downloaded file.
type fetched struct {
	path     string // "" when it has not changed
	memory   remembered
	modified time.Time // Last-Modified, zero when there was none
	size     int64
}

// partial is what belongs to a download that was cut: kept beside it.
type partial struct {
	URL      string `json:"url"`
	ETag     string `json:"etag"`
	Modified string `json:"last_modified"`
	Total    int64  `json:"total"` // -1: unknown
}

// transfer fetches files, one at a time.
type transfer struct {
	client   *http.Client
	dir      string
	tries    int
	progress func(done, total int64)
	pause    func(ctx context.Context, d time.Duration) error
	now      func() time.Time
}

// retryError says that an attempt may be repeated.
type retryError struct {
	err   error
	after time.Duration // told by the server, 0: by back-off
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// fetch downloads an address unless it has not changed, and goes on where an
// earlier download was cut if the server can.
func (t *transfer) fetch(ctx context.Context, a address, m remembered) (fetched, error) {
	wait := firstPause
	for try := 1; ; try++ {
		f, err := t.attempt(ctx, a, m)
		var again *retryError
		if err == nil || ctx.Err() != nil || !errors.As(err, &again) || try >= t.tries {
			return f, err
		}
		d := wait/2 + rand.N(wait/2+1)
		if again.after > 0 {
			if again.after > maxWait {
				return f, fmt.Errorf("%w (it asks to come back in %s)", err, again.after.Round(time.Second))
			}
			d = again.after
		}
		if err := t.pause(ctx, d); err != nil {
			return f, err
		}
		wait = min(2*wait, lastPause)
	}
}

// file is where the download of an address is kept.
func (t *transfer) file(a address) string {
	digest := sha256.Sum256([]byte(a.name))
	return filepath.Join(t.dir, hex.EncodeToString(digest[:8]))
}

func (t *transfer) attempt(ctx context.Context, a address, m remembered) (fetched, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return fetched{}, err
	}
	req.Header.Set("User-Agent", "Picket (intelligence sync)")
	path := t.file(a) + ".part"
	have, part := t.cut(path, a)
	switch {
	case have > 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if part.ETag != "" && !strings.HasPrefix(part.ETag, "W/") {
			req.Header.Set("If-Range", part.ETag)
		} else {
			req.Header.Set("If-Range", part.Modified)
		}
	case m.URL == a.url && !a.again:
		if m.ETag != "" {
			req.Header.Set("If-None-Match", m.ETag)
		}
		if m.Modified != "" {
			req.Header.Set("If-Modified-Since", m.Modified)
		}
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return fetched{}, &retryError{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	m.URL, m.At = a.url, t.now().UTC()
	switch {
	case resp.StatusCode == http.StatusNotModified:
		return fetched{memory: m}, nil
	case resp.StatusCode == http.StatusPartialContent && have > 0:
		if at, ok := rangeStart(resp.Header.Get("Content-Range")); !ok || at != have {
			t.drop(path)
			return fetched{}, &retryError{err: errors.New("the server answers with another range than was asked for")}
		}
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		t.drop(path)
		return fetched{}, &retryError{err: errors.New("the server has no such range")}
	case resp.StatusCode == http.StatusOK:
		have = 0
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		return fetched{}, &retryError{err: fmt.Errorf("the server answers %s", resp.Status), after: retryAfter(resp.Header.Get("Retry-After"), t.now())}
	default:
		return fetched{}, fmt.Errorf("the server answers %s", resp.Status)
	}
	return t.receive(path, a, m, resp, have)
}

// receive writes the body behind what is there already.
func (t *transfer) receive(path string, a address, m remembered, resp *http.Response, have int64) (fetched, error) {
	m.ETag, m.Modified = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	if total > maxDownload {
		return fetched{}, fmt.Errorf("the file is larger than %d bytes", int64(maxDownload))
	}
	note, err := json.Marshal(partial{URL: a.url, ETag: m.ETag, Modified: m.Modified, Total: total})
	if err != nil {
		return fetched{}, err
	}
	if err := os.WriteFile(path+".json", note, 0o600); err != nil {
		return fetched{}, fmt.Errorf("keep download: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fetched{}, fmt.Errorf("keep download: %w", err)
	}
	size, err := t.write(f, resp.Body, have, total)
	if cerr := f.Close(); err == nil && cerr != nil {
		return fetched{}, fmt.Errorf("keep download: %w", cerr)
	}
	if err != nil {
		return fetched{}, err
	}
	done := t.file(a) + ".data"
	if err := os.Rename(path, done); err != nil {
		return fetched{}, fmt.Errorf("keep download: %w", err)
	}
	_ = os.Remove(path + ".json")
	out := fetched{path: done, memory: m, size: size}
	out.modified, _ = http.ParseTime(m.Modified) // zero when there is none
	if out.memory.SHA, err = checkContent(done, a); err != nil {
		_ = os.Remove(done)
		return fetched{}, err
	}
	return out, nil
}

func (t *transfer) write(f *os.File, body io.Reader, have, total int64) (int64, error) {
	if err := f.Truncate(have); err != nil {
		return 0, fmt.Errorf("keep download: %w", err)
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return 0, fmt.Errorf("keep download: %w", err)
	}
	size := have
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if _, werr := f.Write(buf[:n]); werr != nil {
				return size, fmt.Errorf("keep download: %w", werr)
			}
			if size += int64(n); size > maxDownload {
				return size, fmt.Errorf("the file is larger than %d bytes", int64(maxDownload))
			}
			t.progress(size, max(total, 0))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return size, &retryError{err: fmt.Errorf("the download was cut after %d bytes: %w", size, err)}
		}
	}
	if total >= 0 && size != total {
		return size, &retryError{err: fmt.Errorf("the download has %d bytes, the server said %d", size, total)}
	}
	return size, nil
}

// cut returns how much of an earlier download can be kept.
func (t *transfer) cut(path string, a address) (int64, partial) {
	var p partial
	raw, err := os.ReadFile(path + ".json")
	if err != nil || json.Unmarshal(raw, &p) != nil || p.URL != a.url {
		t.drop(path)
		return 0, p
	}
	strong := p.ETag != "" && !strings.HasPrefix(p.ETag, "W/")
	st, err := os.Stat(path)
	if err != nil || st.Size() == 0 || !strong && p.Modified == "" || p.Total >= 0 && st.Size() >= p.Total {
		t.drop(path)
		return 0, p
	}
	return st.Size(), p
}

func (t *transfer) drop(path string) {
	_ = os.Remove(path)
	_ = os.Remove(path + ".json")
}

// rangeStart reads "bytes 100-199/200".
func rangeStart(header string) (int64, bool) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	if !ok {
		return 0, false
	}
	first, _, ok := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	return n, ok && err == nil
}

// retryAfter reads seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && n >= 0 {
		return time.Duration(min(n, 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// checkContent compares a download with the hash and size that upstream gives
// (of the content of a gzip file, of any other file itself), and returns the
// hash; "" when upstream gives neither.
func checkContent(path string, a address) (string, error) {
	if a.sha == "" && a.size == 0 {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var head [2]byte
	_, _ = io.ReadFull(f, head[:])
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	var r io.Reader = f
	if bytes.Equal(head[:], magicGzip[:2]) {
		if r, err = gzip.NewReader(f); err != nil {
			return "", fmt.Errorf("unpack download: %w", truncated(err))
		}
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, 4<<30))
	if err != nil {
		return "", fmt.Errorf("unpack download: %w", truncated(err))
	}
	got := hex.EncodeToString(h.Sum(nil))
	switch {
	case a.size > 0 && n != a.size:
		return "", fmt.Errorf("the content does not have the size that upstream gives: %d bytes, want %d", n, a.size)
	case a.sha != "" && got != a.sha:
		return "", fmt.Errorf("the content does not have the hash that upstream gives: sha256 %s of %d bytes, want %s", got, n, a.sha)
	}
	return got, nil
}
