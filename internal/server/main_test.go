package server

import (
	"testing"

	"go.uber.org/goleak"
)

// The embedded database's driver keeps one goroutine per connection pool until
// the pool is closed; everything else must be gone when the tests are.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
