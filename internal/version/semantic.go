package version

import (
	"fmt"
	"regexp"

	"github.com/google/osv-scalibr/semantic"
)

// scalibrName is the ecosystem in the words of osv-scalibr, for the families
// whose order it gives.
func scalibrName(f family) string {
	switch f {
	case packagist:
		return "Packagist"
	case cran:
		return "CRAN"
	}
	return "Hackage"
}

// The forms of versions of the ecosystems that have one.
var (
	numberForm  = regexp.MustCompile(`^[0-9]+(?:[.-][0-9]+)*$`)
	hackageForm = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)*$`)
)

func validSemantic(f family, v string) error {
	var form *regexp.Regexp
	switch f {
	case cran:
		form = numberForm
	case hackage:
		form = hackageForm
	default: // Packagist gives every text an order
		return nil
	}
	if !form.MatchString(v) {
		return unreadable(v, "it does not have the form of a "+scalibrName(f)+" version")
	}
	return nil
}

// compareSemantic orders two valid versions by osv-scalibr's comparators.
func compareSemantic(f family, a, b string) (int, error) {
	if a == b {
		return 0, nil
	}
	pa, err := semantic.Parse(a, scalibrName(f))
	if err != nil {
		return 0, fmt.Errorf("%w %q: %w", ErrUnreadable, a, err)
	}
	n, err := pa.CompareStr(b)
	if err != nil {
		return 0, fmt.Errorf("%w %q or %q: %w", ErrUnreadable, a, b, err)
	}
	return n, nil
}
