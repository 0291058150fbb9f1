package mde

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// mostMachines is how many machines one change of a tag may name.
const mostMachines = 500

// bodyOf reads the JSON object of a request; names of properties are
// case-sensitive. One that the object does not have is refused, but for
// annotations of OData.
func (q *request) bodyOf(into any, form string) error {
	raw, err := io.ReadAll(http.MaxBytesReader(q.w, q.r.Body, 256<<10))
	if err != nil || decodeStrictly(raw, into) != nil {
		return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestBody", Message: "The body is no JSON object of the form " + form + "."}
	}
	return nil
}

func decodeStrictly(raw []byte, into any) error {
	var own map[string]json.RawMessage
	if err := json.Unmarshal(raw, &own); err != nil {
		return err
	}
	maps.DeleteFunc(own, func(name string, _ json.RawMessage) bool { return strings.Contains(name, "@odata.") })
	for name := range own { // package json would take them in any letter case
		if !hasProperty(reflect.TypeOf(into).Elem(), name) {
			return fmt.Errorf("there is no property %q", name)
		}
	}
	raw, err := json.Marshal(own)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// hasProperty reports whether a struct has a property of exactly this name.
func hasProperty(t reflect.Type, name string) bool {
	for i := range t.NumField() {
		if f := t.Field(i); cmp.Or(f.Tag.Get("json"), f.Name) == name {
			return true
		}
	}
	return false
}

// tooMany refuses a list in a body.
func tooMany(property string, received, allowed int) error {
	return &Error{Status: http.StatusBadRequest, Code: "MaximumBatchSizeExceeded", Message: fmt.Sprintf("The property %s has %d entries, at most %d are allowed.", property, received, allowed)}
}

// tagChange is a change of one tag.
type tagChange struct {
	Value      string
	Action     string
	MachineIds []string
}

func (t *tagChange) on(machines []string) (server.TagChange, error) {
	ch := server.TagChange{Devices: machines}
	switch {
	case strings.TrimSpace(t.Value) == "":
		return ch, &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property Value is missing: it is the tag."}
	case strings.EqualFold(t.Action, "Add"):
		ch.Add = []string{t.Value}
	case strings.EqualFold(t.Action, "Remove"):
		ch.Remove = []string{t.Value}
	default:
		return ch, &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: `The property Action is neither "Add" nor "Remove".`}
	}
	return ch, nil
}

// tagMachine gives a machine a tag or takes it away, and answers the machine.
func (h *Handler) tagMachine(q *request) error {
	var in tagChange
	if err := q.bodyOf(&in, `{"Value": "tag", "Action": "Add"}`); err != nil {
		return err
	}
	ch, err := in.on([]string{lowerID(q.id)})
	if err != nil {
		return err
	}
	if _, err := h.opt.Server.ChangeTags(q.ctx(), q.caller, ch); err != nil {
		return missing(err, "Machine", q.id)
	}
	return h.machine(q)
}

// tagMachines does the same to many machines: to all of them or to none.
func (h *Handler) tagMachines(q *request) error {
	var in tagChange
	if err := q.bodyOf(&in, `{"Value": "tag", "Action": "Add", "MachineIds": ["…"]}`); err != nil {
		return err
	}
	ids := make([]string, len(in.MachineIds))
	for i, id := range in.MachineIds {
		ids[i] = lowerID(id)
	}
	ch, err := in.on(ids)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property MachineIds is missing: it is a list of ids."}
	case len(ids) > mostMachines:
		return tooMany("MachineIds", len(ids), mostMachines)
	}
	if _, err := h.opt.Server.ChangeTags(q.ctx(), q.caller, ch); err != nil {
		return missing(err, "One of the machines", "named")
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// patchMachine sets a machine's own tags and its value, whichever are there.
func (h *Handler) patchMachine(q *request) error {
	var in struct {
		MachineTags *[]string `json:"machineTags"`
		DeviceValue *string   `json:"deviceValue"`
	}
	if err := q.bodyOf(&in, `{"machineTags": ["…"], "deviceValue": "High"}`); err != nil {
		return err
	}
	d, err := h.device(q)
	if err != nil {
		return err
	}
	if in.MachineTags != nil {
		ch := server.TagChange{Devices: []string{string(d.ID)}}
		var own []string
		for _, t := range d.TagList {
			if slices.Contains(t.Kinds, server.TagManual) {
				own = append(own, t.Tag)
			}
		}
		for _, t := range *in.MachineTags {
			if t = strings.TrimSpace(t); !slices.Contains(d.Tags, t) {
				ch.Add = append(ch.Add, t)
			}
		}
		for _, t := range own {
			if !slices.Contains(*in.MachineTags, t) {
				ch.Remove = append(ch.Remove, t)
			}
		}
		if len(ch.Add)+len(ch.Remove) > 0 {
			if _, err := h.opt.Server.ChangeTags(q.ctx(), q.caller, ch); err != nil {
				return err
			}
		}
	}
	if in.DeviceValue != nil {
		if err := h.opt.Server.SetDeviceValue(q.ctx(), q.caller, string(d.ID), *in.DeviceValue); err != nil {
			return err
		}
	}
	return h.machine(q)
}
