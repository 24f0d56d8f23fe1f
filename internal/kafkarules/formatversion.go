package kafkarules

import (
	"strconv"
	"strings"
)

// formatReleases are the releases that have an inter-broker protocol version,
// with how many of them (IV0, IV1, ...); 0 where the release itself is the
// version. They are those of MetadataVersion in 3.9, the last release that has
// message.format.version; older brokers know a part of them.
var formatReleases = map[string]int{
	"0.8.0": 0, "0.8.1": 0, "0.8.2": 0, "0.9.0": 0, "0.10.0": 2, "0.10.1": 3, "0.10.2": 1, "0.11.0": 3,
	"1.0": 1, "1.1": 1,
	"2.0": 2, "2.1": 3, "2.2": 2, "2.3": 2, "2.4": 2, "2.5": 1, "2.6": 1, "2.7": 3, "2.8": 2,
	"3.0": 2, "3.1": 1, "3.2": 1, "3.3": 4, "3.4": 1, "3.5": 3, "3.6": 3, "3.7": 5, "3.8": 1, "3.9": 1, "4.0": 2,
}

// formatVersion is MetadataVersion.fromVersionString: a release, a release with
// its protocol number, or a bug-fix release of one.
func formatVersion() rule {
	return rule{
		allowed: "a release such as 2.8 or 3.0-IV1",
		check: func(v value) error {
			if !knownFormat(v.text) {
				return errNotAllowed
			}
			return nil
		},
	}
}

func knownFormat(text string) bool {
	segments := javaSplitDots(text)
	// Releases had three numbers until 0.11, and two since.
	numbers := 2
	if strings.HasPrefix(text, "0.") {
		numbers = 3
	}
	key := text
	if len(segments) > numbers {
		key = strings.Join(segments[:numbers], ".")
	}
	release, protocol, numbered := strings.Cut(key, "-IV")
	count, ok := formatReleases[release]
	if !ok || !numbered {
		return ok
	}
	n, err := strconv.Atoi(protocol)
	return err == nil && n >= 0 && n < count && strconv.Itoa(n) == protocol
}

// javaSplitDots is String.split, which drops empty strings at the end.
func javaSplitDots(text string) []string {
	segments := strings.Split(text, ".")
	for len(segments) > 0 && segments[len(segments)-1] == "" {
		segments = segments[:len(segments)-1]
	}
	return segments
}
