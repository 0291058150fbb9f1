package agent

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// The exit codes of picket-agent. Results of a host go to the server; standard
// output stays empty, the log goes to standard error.
const (
	ExitOK       = 0 // stopped by a signal, or with --once: everything is acknowledged
	ExitFailure  = 1 // anything that is not below
	ExitUsage    = 2 // a flag is missing or wrong
	ExitState    = 3 // the state directory is unsafe, in use, or cannot be written
	ExitRefused  = 4 // the server refuses: token, certificate, version, or a rejected section
	ExitNoServer = 5 // with --once: the server was not reached, or is not who --ca says
)

var (
	errUsage     = errors.New("usage")
	errUnreached = errors.New("the server was not reached")
)

type usageError struct{ text string }

func (e *usageError) Error() string        { return e.text }
func (e *usageError) Is(target error) bool { return target == errUsage }

func usageErr(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// ExitCode is the exit code of an error that Run returned.
func ExitCode(err error) int {
	_, refused := errors.AsType[*RefusedError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errUsage):
		return ExitUsage
	case errors.Is(err, ErrState):
		return ExitState
	case refused:
		return ExitRefused
	case errors.Is(err, errUnreached), untrusted:
		return ExitNoServer
	}
	return ExitFailure
}
