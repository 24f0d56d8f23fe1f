package properties_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/properties"
)

func TestFormat(t *testing.T) {
	tests := []struct {
		name string
		in   entry
		want string
	}{
		{"plain", entry{Key: "a.b", Value: "1;2"}, `a.b=1;2`},
		{"blanks of the key", entry{Key: " a b", Value: "c"}, `\ a\ b=c`},
		{"leading blank of the value", entry{Key: "a", Value: "  b c "}, `a=\  b c `},
		{"special characters", entry{Key: "a:b", Value: `=:#!\`}, `a\:b=\=\:\#\!\\`},
		{"control characters", entry{Key: "a", Value: "\t\n\r\f\v\x00\x7f"}, `a=\t\n\r\f\u000B\u0000\u007F`},
		{"outside ASCII", entry{Key: "é", Value: "€😀"}, `\u00E9=\u20AC\uD83D\uDE00`},
		{"empty", entry{}, `=`},
		{"invalid UTF-8", entry{Key: "a", Value: "\xff"}, `a=\uFFFD`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want+"\n", string(properties.Format([]entry{tt.in})))
		})
	}
}

func ExampleFormat() {
	fmt.Printf("%s", properties.Format([]properties.Entry{
		{Key: "security.protocol", Value: "SASL_SSL"},
		{Key: "ssl.truststore.location", Value: `C:\kafka\trust store.p12`},
	}))
	// Output:
	// security.protocol=SASL_SSL
	// ssl.truststore.location=C\:\\kafka\\trust store.p12
}

func ExampleParse() {
	f, err := properties.Parse([]byte("# client\nsasl.mechanism = PLAIN\nacks=1\nacks=all\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	acks, _ := f.Get("acks")
	fmt.Println(len(f.Entries), acks)
	// Output: 3 all
}
