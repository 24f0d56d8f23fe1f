package kafkarules

import "fmt"

// Version is a Kafka release, 3.9 or 4.4. The zero Version stands for all that
// this package knows: what any of them accepts is accepted.
type Version struct{ Major, Minor int }

// String gives "4.4", and "any" for the zero Version.
func (v Version) String() string {
	if v == (Version{}) {
		return "any"
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// Before reports whether v is older than w.
func (v Version) Before(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

// span is the releases from a first to a last one, both included. A zero first
// means since before the oldest known release, a zero last means still.
type span struct{ from, last Version }

// has reports whether the span covers v; the zero Version lies in every span.
func (s span) has(v Version) bool {
	if v == (Version{}) {
		return true
	}
	return !v.Before(s.from) && (s.last == (Version{}) || !s.last.Before(v))
}

// String words the span for an error message: "since 4.4", "up to 3.9".
func (s span) String() string {
	switch {
	case s.from == (Version{}) && s.last == (Version{}):
		return "in every version"
	case s.last == (Version{}):
		return "since " + s.from.String()
	case s.from == (Version{}):
		return "up to " + s.last.String()
	}
	return s.from.String() + " to " + s.last.String()
}

func since(major, minor int) span { return span{from: Version{major, minor}} }
func upTo(major, minor int) span  { return span{last: Version{major, minor}} }
