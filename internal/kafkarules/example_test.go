package kafkarules_test

import (
	"errors"
	"fmt"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

func Example() {
	fmt.Println(kafkarules.TopicName("pay ments"))
	for _, err := range kafkarules.TopicConfigs(map[string]string{"retention_ms": "1", "min.insync.replicas": "0"}) {
		fmt.Println(err)
	}
	err := kafkarules.Host("::1")
	fmt.Println(err, errors.Is(err, kafkarules.ErrMisleading))
	// Output:
	// topic name "pay ments" has the illegal character ' ': a name has 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-", and is not "." or ".."
	// config "min.insync.replicas": value "0" is too small: allowed is a whole number of at least 1
	// config "retention_ms" is unknown: did you mean "retention.ms"?
	// host "::1" matches no client, because a broker compares it as text with its own spelling: write "0:0:0:0:0:0:0:1" true
}
