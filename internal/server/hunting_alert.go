package server

import (
	"encoding/json"
	"slices"

	"github.com/picketsec/picket/internal/kql"
)

// huntAlerts is how many alerts are read at once.
const huntAlerts = 1000

// alertTables are the tables of alerts.
func alertTables() []*huntTable {
	return []*huntTable{
		{Table: kql.Table{Name: "AlertInfo", Columns: huntColumns("Timestamp:d AlertId:s Title:s Category:s Severity:s ServiceSource:s DetectionSource:s AttackTechniques:s")},
			about: "Alerts, one row each.", needs: []string{AlertRead}, read: readAlertInfo},
		{Table: kql.Table{Name: "AlertEvidence", Columns: huntColumns("Timestamp:d AlertId:s Title:s Categories:s AttackTechniques:s ServiceSource:s DetectionSource:s EntityType:s EvidenceRole:s EvidenceDirection:s " +
			"FileName:s FolderPath:s SHA1:s SHA256:s FileSize:l ThreatFamily:s RemoteIP:s RemoteUrl:s AccountName:s AccountDomain:s AccountSid:s AccountObjectId:s AccountUpn:s DeviceId:s DeviceName:s LocalIP:s " +
			"ProcessCommandLine:s AdditionalFields:y Severity:s")},
			about: "What alerts are about: their devices, and processes, files, addresses and users of their events.", needs: []string{AlertRead}, read: readAlertEvidence,
			filled: setOf("Timestamp", "AlertId", "Title", "Categories", "AttackTechniques", "ServiceSource", "DetectionSource", "EntityType", "EvidenceRole", "FileName", "FolderPath", "SHA1", "SHA256",
				"RemoteIP", "RemoteUrl", "AccountName", "AccountDomain", "AccountSid", "DeviceId", "DeviceName", "ProcessCommandLine", "Severity")},
	}
}

// eachAlert calls f with the alerts that the caller sees, of the devices of a
// filter, the oldest first.
func (h *huntReader) eachAlert(f *huntFilter, evidence bool, do func(a *AlertRow) error) error {
	c := h.c // who may hunt in alerts may read them: readableBy
	c.Permissions = append(slices.Clone(c.Permissions), AlertRead)
	for offset := 0; ; offset += huntAlerts {
		page, err := h.s.Alerts(h.ctx, c, Query{Sort: []string{"created", "id"}, Offset: offset, Limit: huntAlerts}, nil)
		if err != nil {
			return err
		}
		if evidence {
			if err := h.s.FillAlerts(h.ctx, c, page.Items, true); err != nil {
				return err
			}
		}
		for i := range page.Items {
			if a := &page.Items[i]; f.has(a.DeviceID) && f.keeps("AlertId", a.ID) {
				if err := do(a); err != nil {
					return err
				}
			}
		}
		if len(page.Items) < huntAlerts {
			return nil
		}
	}
}

// alert fills what both tables say of an alert.
func (r *huntRow) alert(s kql.Scan, a *AlertRow) {
	r.clear(s)
	ids := make([]string, len(a.Techniques))
	for i, t := range a.Techniques {
		ids[i] = t.ID
	}
	techniques, _ := json.Marshal(ids) // texts can always be encoded
	r.set("Timestamp", kql.TimeValue(a.Created))
	r.text("AlertId", a.ID)
	r.text("Title", a.Title)
	r.text("Severity", a.Severity)
	r.text("AttackTechniques", string(techniques))
	r.text("ServiceSource", "Picket")
	r.text("DetectionSource", a.Source)
}

func readAlertInfo(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	r := newHuntRow(s)
	return h.eachAlert(f, false, func(a *AlertRow) error {
		r.alert(s, a)
		r.text("Category", a.Category)
		return yield(r.row)
	})
}

func readAlertEvidence(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	r := newHuntRow(s)
	return h.eachAlert(f, true, func(a *AlertRow) error {
		for i := -1; i < len(a.Evidence); i++ { // first of all, the device
			r.alert(s, a)
			categories, _ := json.Marshal([]string{a.Category}) // texts can always be encoded
			r.text("Categories", string(categories))
			r.text("DeviceId", string(a.DeviceID))
			r.text("DeviceName", h.devices()[a.DeviceID])
			r.text("EntityType", "Machine")
			r.text("EvidenceRole", "Impacted")
			if i >= 0 {
				r.evidence(&a.Evidence[i])
			}
			if err := yield(r.row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *huntRow) evidence(e *AlertEvidence) {
	r.text("EntityType", e.Kind)
	r.text("EvidenceRole", "Related")
	r.set("Timestamp", kql.TimeValue(e.At))
	r.text("FileName", e.Name)
	r.text("FolderPath", e.Path)
	r.text("SHA1", e.SHA1)
	r.text("SHA256", e.SHA256)
	r.text("RemoteIP", e.IP)
	r.text("RemoteUrl", e.URL)
	r.text("AccountName", e.Account)
	r.text("AccountDomain", e.Domain)
	r.text("AccountSid", e.SID)
	r.text("ProcessCommandLine", e.Command)
}
