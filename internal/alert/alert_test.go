package alert

import "testing"

func TestRisk(t *testing.T) {
	m, l := Medium, Low
	tests := []struct {
		active []Severity
		want   string
	}{
		{nil, "None"},
		{[]Severity{Informational, Informational}, "Informational"},
		{[]Severity{Informational, Low}, "Low"},
		{[]Severity{Unspecified}, "Low"},
		{[]Severity{l, l, l, l}, "Low"},
		{[]Severity{l, l, l, l, Unspecified}, "Medium"},
		{[]Severity{m, l}, "Medium"},
		{[]Severity{m, m}, "Medium"},
		{[]Severity{m, m, m}, "High"},
		{[]Severity{High}, "High"},
		{[]Severity{"nonsense"}, "None"},
	}
	for _, tt := range tests {
		if got := Risk(tt.active); got != tt.want {
			t.Errorf("Risk(%v) = %s, want %s", tt.active, got, tt.want)
		}
	}
}

func TestActive(t *testing.T) {
	for _, s := range Statuses {
		for _, c := range []Classification{"", TruePositive, Expected, FalsePositive} {
			want := s != Resolved && (c == "" || c == TruePositive)
			if got := Active(s, c); got != want {
				t.Errorf("Active(%s, %q) = %v", s, c, got)
			}
		}
	}
}

func TestParse(t *testing.T) {
	if d, ok := ParseDetermination("notmalicious"); !ok || d != "Clean" {
		t.Errorf("an older name of a determination is %q, %v", d, ok)
	}
	if d, ok := ParseDetermination("NotAvailable"); !ok || d != "" {
		t.Errorf("NotAvailable is %q, %v", d, ok)
	}
	if _, ok := ParseDetermination("Apt"); ok {
		t.Error("a determination that was retired is taken")
	}
	if c, ok := ParseClassification("truepositive"); !ok || c != TruePositive {
		t.Errorf("classification %q, %v", c, ok)
	}
	if s, ok := ParseStatus("inprogress"); !ok || s != InProgress {
		t.Errorf("status %q, %v", s, ok)
	}
	if _, ok := ParseSeverity("Severe"); ok {
		t.Error("a severity that does not exist is taken")
	}
	for id, want := range map[string]bool{"T1053": true, "T1053.003": true, "t1053": false, "T105": false, "T1053.3": false, "T1053.0031": false, "": false} {
		if IsTechnique(id) != want {
			t.Errorf("IsTechnique(%q) = %v", id, !want)
		}
	}
	if !Under("T1053.003", "T1053") || Under("T1053", "T1053.003") || Under("T10531", "T1053") || !Under("T1053", "T1053") {
		t.Error("a technique is under those that it is a part of alone")
	}
}
