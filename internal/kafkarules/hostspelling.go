package kafkarules

import "regexp"

// oddIPv4Range is what SubnetUtils takes: leading zeros are decimal to it,
// octal to others.
var oddIPv4Range = regexp.MustCompile(`^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})/([0-9]{1,2})$`)

// javaReadsRange reports whether Kafka would take a range that netip refuses.
func javaReadsRange(s string) bool {
	m := oddIPv4Range.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	for i, limit := range []int64{255, 255, 255, 255, 32} {
		if n, err := parseInteger(m[i+1], 32); err != nil || n > limit {
			return false
		}
	}
	return true
}
