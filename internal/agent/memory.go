package agent

import (
	"path/filepath"
	"strings"
)

// stateMemory keeps what sources of events remember, one file for each name.
type stateMemory struct{ s *stateDir }

const maxMemory = 4 << 20

func (m stateMemory) file(name string) string {
	return filepath.Join("memory", strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, name))
}

// Get implements sense.Memory.
func (m stateMemory) Get(name string) []byte {
	raw, err := m.s.read(m.file(name), maxMemory)
	if err != nil {
		return nil
	}
	return raw
}

// Set implements sense.Memory.
func (m stateMemory) Set(name string, value []byte) {
	if len(value) <= maxMemory {
		_ = m.s.replace(m.file(name), value) // what is forgotten is looked at anew
	}
}
