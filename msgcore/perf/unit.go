package main

import "fmt"

// A unit is what a value is measured in, and which of two values is better.
type unit struct {
	name  string
	lower bool // the lower the better
}

var (
	perSecond    = unit{"messages/s", false}
	microseconds = unit{"µs", true}
	milliseconds = unit{"ms", true}
	kibibytes    = unit{"KiB", true}
	mebibytes    = unit{"MiB", true}
	percent      = unit{"%", true}
)

// format shows v with three digits that count.
func (u unit) format(v float64) string {
	if u != perSecond {
		return digits(v)
	}
	switch {
	case v >= 1e6:
		return digits(v/1e6) + " M"
	case v >= 1e3:
		return digits(v/1e3) + " k"
	default:
		return digits(v)
	}
}

func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
