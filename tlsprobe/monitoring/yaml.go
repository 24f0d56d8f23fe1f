package monitoring

import (
	"bytes"
	"fmt"
	"time"

	"go.yaml.in/yaml/v4"
)

// write puts a heading above a document.
func write(heading string, document any) ([]byte, error) {
	var b bytes.Buffer
	for line := range bytes.Lines([]byte(heading + "\n")) {
		b.WriteString("# " + string(line))
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(document); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return b.Bytes(), enc.Close()
}

// span writes a duration as Prometheus reads it: one unit, without a fraction.
func span(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d%unit.d == 0 {
			return fmt.Sprintf("%d%s", d/unit.d, unit.name)
		}
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
