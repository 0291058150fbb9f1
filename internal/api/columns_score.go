package api

import (
	"slices"
	"strconv"

	"github.com/picketsec/picket/internal/server"
)

var scoreGroupColumns = []column[server.ScoreGroupPart]{
	{"group_id", func(r *server.ScoreGroupPart) string { return whole(int(r.ID)) }},
	{"group", func(r *server.ScoreGroupPart) string { return r.Name }},
	{"devices", func(r *server.ScoreGroupPart) string { return whole(r.Devices) }},
	{"score", func(r *server.ScoreGroupPart) string { return number(r.Score) }},
	{"exposure", func(r *server.ScoreGroupPart) string { return string(r.Level) }},
	{"weight", func(r *server.ScoreGroupPart) string { return number(r.Weight) }},
	{"share", func(r *server.ScoreGroupPart) string { return number(r.Share) }},
	{"num", func(r *server.ScoreGroupPart) string { return r.Num }},
	{"den", func(r *server.ScoreGroupPart) string { return strconv.FormatUint(r.Den, 10) }},
}

var scoreDeviceColumns = []column[server.ScoreDevicePart]{
	{"device_id", func(r *server.ScoreDevicePart) string { return string(r.ID) }},
	{"name", func(r *server.ScoreDevicePart) string { return r.Name }},
	{"os_name", func(r *server.ScoreDevicePart) string { return r.OSName }},
	{"group_id", func(r *server.ScoreDevicePart) string { return whole(int(r.GroupID)) }},
	{"group", func(r *server.ScoreDevicePart) string { return r.Group }},
	{"value", func(r *server.ScoreDevicePart) string { return r.Value }},
	{"weight", func(r *server.ScoreDevicePart) string { return number(r.Weight) }},
	{"score", func(r *server.ScoreDevicePart) string { return number(r.Score) }},
	{"exposure", func(r *server.ScoreDevicePart) string { return string(r.Level) }},
	{"share", func(r *server.ScoreDevicePart) string { return number(r.Share) }},
	{"units", func(r *server.ScoreDevicePart) string { return r.Units }},
	{"num", func(r *server.ScoreDevicePart) string { return r.Num }},
	{"den", func(r *server.ScoreDevicePart) string { return strconv.FormatUint(r.Den, 10) }},
}

var scoreTermColumns = slices.Concat([]column[server.ScoreTerm]{
	{"kind", func(r *server.ScoreTerm) string { return r.Kind }},
	{"weakness_id", func(r *server.ScoreTerm) string { return r.Weakness }},
	{"check", func(r *server.ScoreTerm) string { return r.Check }},
	{"alert_id", func(r *server.ScoreTerm) string { return r.Alert }},
	{"severity", func(r *server.ScoreTerm) string { return string(r.Severity) }},
	{"cvss", func(r *server.ScoreTerm) string { return number(r.CVSS) }},
	{"fallback", func(r *server.ScoreTerm) string { return strconv.FormatBool(r.Fallback) }},
	{"state", func(r *server.ScoreTerm) string { return string(r.State) }},
	{"software_id", func(r *server.ScoreTerm) string { return r.ProductID }},
	{"component", func(r *server.ScoreTerm) string { return r.Component }},
	{"version", func(r *server.ScoreTerm) string { return r.Version }},
	{"exception", func(r *server.ScoreTerm) string { return r.Exception }},
	{"points", func(r *server.ScoreTerm) string { return strconv.FormatUint(r.Points, 10) }},
	{"units", func(r *server.ScoreTerm) string { return r.Units }},
	{"share", func(r *server.ScoreTerm) string { return number(r.Share) }},
}, attacked(func(r *server.ScoreTerm) *server.Threats { return &r.Threats }), likely(func(r *server.ScoreTerm) *server.Threats { return &r.Threats }))

var secureCheckColumns = []column[server.SecureCheckRow]{
	{"check", func(r *server.SecureCheckRow) string { return r.Check }},
	{"name", func(r *server.SecureCheckRow) string { return r.Name }},
	{"category", func(r *server.SecureCheckRow) string { return r.Category }},
	{"subcategory", func(r *server.SecureCheckRow) string { return r.Subcategory }},
	{"impact", func(r *server.SecureCheckRow) string { return whole(r.Impact) }},
	{"got", func(r *server.SecureCheckRow) string { return number(r.Got) }},
	{"max", func(r *server.SecureCheckRow) string { return strconv.FormatInt(r.Max, 10) }},
	{"missing", func(r *server.SecureCheckRow) string { return number(r.Missing) }},
	{"passed", func(r *server.SecureCheckRow) string { return whole(r.Passed) }},
	{"mitigated", func(r *server.SecureCheckRow) string { return whole(r.Mitigated) }},
	{"failed", func(r *server.SecureCheckRow) string { return whole(r.Failed) }},
	{"not_assessed", func(r *server.SecureCheckRow) string { return whole(r.NotAssessed) }},
	{"not_applicable", func(r *server.SecureCheckRow) string { return whole(r.NotConcern) }},
	{"got_exact", func(r *server.SecureCheckRow) string { return r.GotExact }},
	{"recommendation_id", func(r *server.SecureCheckRow) string { return r.ID }},
}

var checkDeviceColumns = []column[server.CheckDeviceRow]{
	{"device_id", func(r *server.CheckDeviceRow) string { return string(r.ID) }},
	{"name", func(r *server.CheckDeviceRow) string { return r.Name }},
	{"os_name", func(r *server.CheckDeviceRow) string { return r.OSName }},
	{"group_id", func(r *server.CheckDeviceRow) string { return whole(int(r.GroupID)) }},
	{"group", func(r *server.CheckDeviceRow) string { return r.Group }},
	{"state", func(r *server.CheckDeviceRow) string { return r.State }},
	{"reason", func(r *server.CheckDeviceRow) string { return r.Reason }},
	{"mitigated", func(r *server.CheckDeviceRow) string { return strconv.FormatBool(r.Mitigated) }},
	{"last_seen", func(r *server.CheckDeviceRow) string { return instant(r.LastSeen) }},
}
