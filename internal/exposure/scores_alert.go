package exposure

import "slices"

// AlertInput is an active alert on a device, as an input of its score.
type AlertInput struct {
	ID     string // of the alert
	Points Points
}

// alertPoints are what active alerts weigh by severity. One of high severity
// weighs as much as the worst weakness that ransomware uses.
var alertPoints = map[string]Points{"High": 4000, "Medium": 1000, "Low": 250, "UnSpecified": 250, "Informational": 10}

// AlertPoints is what an active alert of a severity weighs: at least 1.
func AlertPoints(severity string) Points { return max(1, alertPoints[severity]) }

// SetAlerts says which alerts are active on a device, each once; the list is
// kept. Devices that count nowhere have them all the same, for when they do.
func (s *Scores) SetAlerts(dev uint32, list []AlertInput) {
	s.grow(dev)
	if slices.Equal(s.alerts[dev], list) {
		return
	}
	s.leave(dev)
	if len(list) > 0 {
		s.alerts[dev] = list
	} else {
		delete(s.alerts, dev)
	}
	s.join(dev)
}

// AlertsOf returns what SetAlerts said of a device. The result is shared.
func (s *Scores) AlertsOf(dev uint32) []AlertInput { return s.alerts[dev] }

// alerted are the points of a device's alerts.
func (s *Scores) alerted(dev uint32) (sum uint64) {
	for _, a := range s.alerts[dev] {
		sum += uint64(a.Points)
	}
	return sum
}
