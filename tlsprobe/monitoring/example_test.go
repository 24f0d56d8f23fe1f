package monitoring_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/tlsprobe/monitoring"
)

func Example() {
	files, err := monitoring.Files(monitoring.Options{Exporters: []string{"probe-a:9115", "probe-b:9115"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, "rules_test") {
			fmt.Println(name)
		}
	}
	// Output:
	// alertmanager.yml
	// dashboard.json
	// prometheus.yml
	// rules.yml
}
