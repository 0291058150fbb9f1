package mde

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/picketsec/picket/internal/server"
)

// rowsPerFile is how many rows one export file holds at most.
const rowsPerFile = 250_000

// DownloadPath is where export files are served; below it come the secret of
// the export and the name of the file.
const DownloadPath = "/export-files/"

// exportFile is what the answer says of one file.
type exportFile struct {
	URL  string `json:"url"`
	Rows int    `json:"rows"`
	Hash string `json:"sha256"` // of the lines, unpacked
}

// serveFiles writes the whole export to files and answers with their addresses.
func serveFiles[T any](h *Handler, q *request, x *export[T]) (err error) {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	hours := 1
	if text := o.plain["sasvalidhours"]; text != "" {
		if hours, err = natural("sasValidHours", text); err != nil || hours < 1 || hours > 6 {
			return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The parameter sasValidHours is not a whole number from 1 to 6."}
		}
	}
	files, err := h.opt.Server.NewExportFiles(q.ctx(), q.caller, x.permission, time.Duration(hours)*time.Hour)
	if err != nil {
		return err
	}
	defer func() { err = files.Close(err) }()
	all, err := x.read(h, q, server.ExportQuery{})
	if err != nil {
		return err
	}
	ctl := http.NewResponseController(q.w)
	list, err := writeFiles(q, x, &all, files, ctl)
	if err != nil {
		return err
	}
	_ = ctl.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines has none to set
	var b bytes.Buffer
	b.WriteString(`{"@odata.context":`)
	appendJSON(&b, q.context("microsoft.windowsDefenderATP.api.ExportFilesResponse"))
	urls := make([]string, len(list))
	for i := range list {
		urls[i] = list[i].URL
	}
	b.WriteString(`,"exportFiles":`)
	appendJSON(&b, urls)
	b.WriteString(`,"generatedTime":`)
	appendJSON(&b, all.At.Truncate(time.Second).Format(time.RFC3339))
	b.WriteString(`,"expires":`)
	appendJSON(&b, files.Expires.Truncate(time.Second).Format(time.RFC3339))
	b.WriteString(`,"files":`)
	appendJSON(&b, list)
	b.WriteByte('}')
	writeJSON(q.w, b.Bytes())
	return nil
}

// writeFiles writes the rows as gzip files of JSON lines; there is at least one file.
func writeFiles[T any](q *request, x *export[T], all *server.Export[T], files *server.ExportFiles, ctl *http.ResponseController) ([]exportFile, error) {
	list := []exportFile{}
	var pack *gzip.Writer
	var s *sink
	end := func() error {
		if s == nil {
			return nil
		}
		if err := s.out.Flush(); err != nil {
			return err
		}
		last := &list[len(list)-1]
		last.Rows, last.Hash = s.rows, hex.EncodeToString(s.sum.Sum(nil))
		return pack.Close()
	}
	begin := func() error {
		if err := end(); err != nil {
			return err
		}
		name := fmt.Sprintf("%s-%s-%d.json.gz", x.name, all.At.Format("20060102-150405"), len(list)+1)
		w, err := files.Create(name)
		if err != nil {
			return err
		}
		if pack == nil {
			pack, err = gzip.NewWriterLevel(w, gzip.BestSpeed)
		} else {
			pack.Reset(w)
		}
		if err != nil {
			return err
		}
		s = newSink(pack, ctl)
		list = append(list, exportFile{URL: q.base + DownloadPath + files.Secret + "/" + name})
		return nil
	}
	if err := begin(); err != nil {
		return nil, err
	}
	var b, start []byte
	for d, err := range all.Devices {
		if err != nil {
			return nil, err
		}
		start = start[:0]
		for i := range d.Rows {
			if x.keep != nil && !x.keep(&d.Rows[i]) {
				continue
			}
			if s.rows == rowsPerFile {
				if err := begin(); err != nil {
					return nil, err
				}
			}
			if len(start) == 0 {
				start = x.start(start, d)
			}
			b = append(x.row(b[:0], start, d, &d.Rows[i]), '\n')
			if _, err := s.out.Write(b); err != nil {
				return nil, err
			}
			s.wrote()
		}
	}
	return list, end()
}
