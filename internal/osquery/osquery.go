// Package osquery makes sections of an inventory of what osqueryd answers: the
// questions that it is asked, its messages, and what its rows mean here.
//
//	msg, err := osquery.DecodeLog(body)
//	sections := osquery.Sections(msg.Answers(), have, now)
//
// What osquery has no table for is said: such a section is partial with the
// reason, so that nobody takes "not looked at" for "nothing there".
package osquery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Bounds of what is taken.
const (
	MaxBody   = 64 << 20 // bytes of a message, unpacked
	MaxRows   = 100_000  // of an answer
	maxLines  = 10_000   // results of a message
	maxText   = 4096     // bytes of a value
	maxName   = 256
	prefix    = "picket_" // of the names of our questions
	everySecs = 900
)

// question is one query that every node is asked.
type question struct {
	name string
	sql  string
}

// questions are all of them. Each gives the rows of one or two sections.
var questions = []question{
	{"os", "SELECT o.name AS os_name, o.version, o.major, o.minor, o.codename, o.platform, o.platform_like, o.arch, s.hostname, s.computer_name, s.cpu_brand, s.cpu_logical_cores, " +
		"s.physical_memory, s.hardware_vendor, s.hardware_model, s.hardware_serial FROM os_version o, system_info s"},
	{"kernel", "SELECT version FROM kernel_info"},
	{"interfaces", "SELECT d.interface, d.mac, d.flags, a.address FROM interface_details d LEFT JOIN interface_addresses a ON d.interface = a.interface"},
	{"deb", "SELECT name, version, source, arch, status, maintainer FROM deb_packages"},
	{"rpm", "SELECT name, version, release, epoch, source, arch, vendor, install_time FROM rpm_packages"},
	{"python", "SELECT name, version, path FROM python_packages"},
	{"npm", "SELECT name, version, path, directory FROM npm_packages"},
	{"users", "SELECT uid, gid, username, description, directory, shell FROM users"},
	{"logons", "SELECT user, tty, host, time FROM logged_in_users WHERE type = 'user'"},
}

// Queries are the questions for a node that is asked at once, by name.
func Queries() map[string]string {
	out := make(map[string]string, len(questions))
	for _, q := range questions {
		out[prefix+q.name] = q.sql
	}
	return out
}

// Config is the configuration of a node: every question on a schedule.
func Config() json.RawMessage {
	type scheduled struct {
		Query    string `json:"query"`
		Interval int    `json:"interval"`
		Snapshot bool   `json:"snapshot"`
		Removed  bool   `json:"removed"`
	}
	schedule := map[string]scheduled{}
	for _, q := range questions {
		schedule[prefix+q.name] = scheduled{q.sql, everySecs, true, false}
	}
	raw, err := json.Marshal(map[string]any{"node_invalid": false, "schedule": schedule})
	if err != nil {
		panic(fmt.Sprintf("osquery: encode configuration: %v", err)) // it is made of constants
	}
	return raw
}

// Row is one row: every value is text.
type Row map[string]string

// Answer is what became of one question.
type Answer struct {
	Rows   []Row
	Failed bool
	Reason string // why it failed
	Cut    int    // rows that were left out
}

// text is a JSON string, number or truth: osquery writes numbers as text, and
// some versions of it do not.
type text string

// UnmarshalJSON takes what is not nested.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
		return nil
	}
	if bytes.IndexByte(raw, '{') >= 0 || bytes.IndexByte(raw, '[') >= 0 {
		return errors.New("a value is nested")
	}
	if string(raw) != "null" {
		*t = text(raw)
	}
	return nil
}

// Enroll is a request to become a node.
type Enroll struct {
	Secret string // an enrolment token
	Host   string // as it calls itself; never identity
	Info   map[string]map[string]string
}

// DecodeEnroll reads an enrolment.
func DecodeEnroll(body []byte) (Enroll, error) {
	var in struct {
		Secret  text                       `json:"enroll_secret"`
		Host    text                       `json:"host_identifier"`
		Details map[string]map[string]text `json:"host_details"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return Enroll{}, fmt.Errorf("the enrolment is no JSON object as osquery sends it: %w", err)
	}
	out := Enroll{Secret: string(in.Secret), Host: clip(string(in.Host), maxName), Info: map[string]map[string]string{}}
	for table, row := range in.Details {
		if len(out.Info) == 16 {
			break
		}
		m := map[string]string{}
		for k, v := range row {
			if len(m) < 64 {
				m[clip(k, maxName)] = clip(string(v), maxText)
			}
		}
		out.Info[clip(table, maxName)] = m
	}
	return out, nil
}

// DecodeKey reads the node key of a message that holds nothing else of interest.
func DecodeKey(body []byte) (string, error) {
	var in struct {
		Key text `json:"node_key"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return "", fmt.Errorf("the message is no JSON object as osquery sends it: %w", err)
	}
	return string(in.Key), nil
}

// DecodeLog reads a message of results. Status messages and results of
// questions that are not ours give nothing; of several results of one question
// the last stands.
func DecodeLog(body []byte) (map[string]Answer, error) {
	var in struct {
		Type text `json:"log_type"`
		Data []struct {
			Name     text              `json:"name"`
			Action   text              `json:"action"`
			Snapshot []map[string]text `json:"snapshot"`
		} `json:"data"`
	}
	var kind struct {
		Type text `json:"log_type"`
	}
	if err := json.Unmarshal(body, &kind); err != nil {
		return nil, fmt.Errorf("the log is no JSON object as osquery sends it: %w", err)
	}
	if kind.Type != "result" && kind.Type != "snapshot" {
		return map[string]Answer{}, nil
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("the results are not as osquery sends them: %w", err)
	}
	if len(in.Data) > maxLines {
		return nil, fmt.Errorf("%d results in one message, at most %d are taken", len(in.Data), maxLines)
	}
	out := map[string]Answer{}
	for _, r := range in.Data {
		if name, ours := strings.CutPrefix(string(r.Name), prefix); ours && known(name) && r.Action == "snapshot" {
			out[name] = answerOf(r.Snapshot)
		}
	}
	return out, nil
}

// DecodeWrite reads answers to questions that were asked at once.
func DecodeWrite(body []byte) (map[string]Answer, error) {
	var in struct {
		Queries  map[string]json.RawMessage `json:"queries"`
		Statuses map[string]text            `json:"statuses"`
		Messages map[string]text            `json:"messages"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("the answers are no JSON object as osquery sends them: %w", err)
	}
	if len(in.Queries) > maxLines {
		return nil, fmt.Errorf("%d answers in one message, at most %d are taken", len(in.Queries), maxLines)
	}
	out := map[string]Answer{}
	for id, raw := range in.Queries {
		name, ours := strings.CutPrefix(id, prefix)
		if !ours || !known(name) {
			continue
		}
		if st := in.Statuses[id]; st != "" && st != "0" {
			out[name] = Answer{Failed: true, Reason: clip(string(in.Messages[id]), maxName)}
			continue
		}
		var rows []map[string]text
		if err := json.Unmarshal(raw, &rows); err != nil && string(raw) != `""` { // older versions write "" for no rows
			return nil, fmt.Errorf("the answer %q is not a list of rows: %w", clip(id, maxName), err)
		}
		out[name] = answerOf(rows)
	}
	for id, st := range in.Statuses {
		name, ours := strings.CutPrefix(id, prefix)
		if _, told := out[name]; ours && known(name) && !told && st != "" && st != "0" {
			out[name] = Answer{Failed: true, Reason: clip(string(in.Messages[id]), maxName)}
		}
	}
	return out, nil
}

func known(name string) bool {
	for _, q := range questions {
		if q.name == name {
			return true
		}
	}
	return false
}

func answerOf(rows []map[string]text) Answer {
	a := Answer{Rows: make([]Row, 0, min(len(rows), MaxRows))}
	for _, r := range rows {
		if len(a.Rows) == MaxRows {
			a.Cut = len(rows) - MaxRows
			break
		}
		row := Row{}
		for k, v := range r {
			if len(row) < 64 {
				row[clip(k, maxName)] = clip(string(v), maxText)
			}
		}
		a.Rows = append(a.Rows, row)
	}
	return a
}

// clip cuts a text to so many bytes, at a whole character, and mends what is no UTF-8.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}
