package kafkasec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostSet_Uncovered(t *testing.T) {
	for _, c := range []struct {
		host   string
		others []string
		want   bool
	}{
		{"*", []string{"0.0.0.0/0", "::/0", "10.0.0.1"}, true},
		{"*", []string{"*"}, false},
		{"a.example", nil, false},
		{"0.0.0.0/32", nil, false}, // no client is in it
		{"0.0.0.0/31", []string{"0.0.0.1"}, false},
		{"0.0.0.0", []string{"0.0.0.0/0"}, true}, // nor is this one in a range
		{"10.0.0.1", []string{"10.0.0.0/8"}, false},
		{"10.0.0.0/31", []string{"10.0.0.0", "10.0.0.1"}, false},
		{"10.0.0.0/31", []string{"10.0.0.1"}, true},
		{"10.0.0.0/30", []string{"10.0.0.3", "10.0.0.0/31", "10.0.0.2"}, false},
		{"10.0.0.0/30", []string{"10.0.0.3", "10.0.0.0/31"}, true},
		{"128.0.0.0/1", []string{"128.0.0.0/2", "192.0.0.0/2"}, false}, // up to the last address
		{"128.0.0.0/1", []string{"128.0.0.0/2", "192.0.0.0/3"}, true},
		{"fe80::/127", []string{"fe80::/128", "fe80::1/128"}, false},
		{"fe80::/127", []string{"fe80:0:0:0:0:0:0:0", "fe80:0:0:0:0:0:0:1"}, true}, // in a zone
		{"fe80:0:0:0:0:0:0:1%eth0", []string{"fe80::/10"}, false},
		{"ffff::/16", []string{"ffff::/17", "ffff:8000::/17"}, false},
	} {
		var others []hostSet
		for _, o := range c.others {
			others = append(others, parseHostSet(o, true))
		}
		require.Equal(t, c.want, parseHostSet(c.host, true).uncovered(others), "%s %v", c.host, c.others)
	}
}
