package sense

import "strings"

// fieldsOf cuts each line of a text into its words.
func fieldsOf(text string) func(yield func(int, []string) bool) {
	return func(yield func(int, []string) bool) {
		n := 0
		for line := range strings.Lines(text) {
			if !yield(n, strings.Fields(line)) {
				return
			}
			n++
		}
	}
}

// cutLast cuts a text at the last c.
func cutLast(s string, c byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, c)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
