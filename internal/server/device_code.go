package server

import (
	"context"
	"errors"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// deviceCode is the code of an error that concerns one device, "" for any other.
func deviceCode(err error) string {
	var unable *UnableError
	var active *ActiveError
	switch {
	case errors.As(err, &unable):
		return unable.Code()
	case errors.As(err, &active):
		return "ActiveRequestAlreadyExists"
	case errors.Is(err, ErrNotFound):
		return "ResourceNotFound"
	}
	return ""
}

func sentenceOf(err error) string {
	if errors.Is(err, ErrNotFound) {
		return "There is no such device."
	}
	return err.Error()
}

// idle is an *ActiveError when a device has an active action of a kind.
func (s *Server) idle(ctx context.Context, id inventory.DeviceID, kind string) error {
	busy := false
	err := s.st.MachineActions(ctx, store.ActionFilter{Device: id, Active: true}, func(a *store.MachineAction) bool {
		busy = busy || a.Kind == kind
		return !busy
	})
	if err == nil && busy {
		err = &ActiveError{}
	}
	return err
}
