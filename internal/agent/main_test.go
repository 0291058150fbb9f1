package agent

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// insideVar holds, in the isolated process of TestHostIsRecorded, its folder.
const insideVar = "PICKET_TEST_SENSE"

func TestMain(m *testing.M) {
	if os.Getenv(insideVar) != "" {
		os.Exit(m.Run()) // its host ends with it
	}
	goleak.VerifyTestMain(m)
}
