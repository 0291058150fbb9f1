package mde

import (
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

// score is a score of all devices, or of one device group.
type score struct {
	at    time.Time
	value float64
	group exposure.Group
	name  string
}

var scoreProps = []prop[score]{
	{"time", instant, func(s *score) any { return s.at }},
	{"score", number, func(s *score) any { return s.value }},
	{"rbacGroupName", text, func(s *score) any { return textOrNil(s.name) }},
	{"rbacGroupId", number, func(s *score) any { return float64(s.group) }},
}

func (h *Handler) exposureScore(q *request) error {
	v, err := h.opt.Server.ExposureScore(q.ctx(), q.caller)
	if err != nil {
		return err
	}
	return serveOne(q, "ExposureScore", scoreProps, &score{at: v.AsOf, value: v.Score})
}

// exposureByGroup is the exposure score of each device group that has devices
// which count, by rank; devices that no rule takes are the last.
func (h *Handler) exposureByGroup(q *request) error {
	return serveRows(q, "ExposureScore", scoreProps, func(want server.RowQuery[score]) (server.RowPage[score], error) {
		list, err := h.opt.Server.ScoresByGroup(q.ctx(), q.caller)
		var rows []score
		for i := range list {
			if g := &list[i]; g.Devices > 0 {
				rows = append(rows, score{at: g.AsOf, value: g.Score, group: g.ID, name: g.Word})
			}
		}
		return want.Of(server.Each(rows)), err
	})
}

// configurationScore is the secure score of all devices, in points.
func (h *Handler) configurationScore(q *request) error {
	v, err := h.opt.Server.SecureScore(q.ctx(), q.caller)
	if err != nil {
		return err
	}
	return serveOne(q, "ConfigurationScore", scoreProps, &score{at: v.AsOf, value: v.Got})
}
