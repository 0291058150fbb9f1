package server

import (
	"errors"
	"fmt"
)

// The five kinds of errors that reach a caller. Anything else is a bug and
// becomes a 500 with an id; api/problem.go is the only place that maps them to HTTP.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("conflict")
	ErrInvalid     = errors.New("invalid")
	ErrDenied      = errors.New("denied")
	ErrUnavailable = errors.New("unavailable")
)

// ErrInUse says that another process has the data directory open.
var ErrInUse = errors.New("is in use by another picket process: end it, or let it answer through its admin socket")

// InputError is an ErrInvalid with a message meant for people.
type InputError struct {
	Field   string // the field, parameter or flag that is wrong
	Message string // what is wrong and how to mend it
}

// Error is "field: message".
func (e *InputError) Error() string { return e.Field + ": " + e.Message }

// Is makes every InputError an ErrInvalid.
func (e *InputError) Is(target error) bool { return target == ErrInvalid }

// DeniedError is an ErrDenied that says, for people, why.
type DeniedError struct{ Message string }

// Error is the message.
func (e *DeniedError) Error() string { return e.Message }

// Is makes every DeniedError an ErrDenied.
func (e *DeniedError) Is(target error) bool { return target == ErrDenied }

// Deniedf makes a DeniedError.
func Deniedf(format string, args ...any) error {
	return &DeniedError{Message: fmt.Sprintf(format, args...)}
}

// Invalidf makes an InputError.
func Invalidf(field, format string, args ...any) error {
	return &InputError{Field: field, Message: fmt.Sprintf(format, args...)}
}
