package kafkarules

// ConfigShape is what the values of a topic config look like over all known
// releases, for those who describe configs to people and editors. It is wider
// than [TopicConfig]: what does not fit it is wrong, what fits may be.
type ConfigShape struct {
	// Kind is boolean, integer, number, string or list.
	Kind string
	// Names are the allowed texts or elements; nil allows others, too.
	Names []string
	// Low and High are the bounds of numbers; nil is none.
	Low, High *int64
	// Allowed says it in words, and in which releases the config exists where
	// not all have it.
	Allowed string
}

var kindNames = map[kind]string{
	kindBoolean: "boolean", kindInt: "integer", kindLong: "integer", kindDouble: "number", kindString: "string", kindList: "list",
}

// TopicConfigShape describes one of [TopicConfigKeys]; other keys have none.
func TopicConfigShape(key string) (shape ConfigShape, ok bool) {
	c, ok := topicConfigs[key]
	if !ok {
		return ConfigShape{}, false
	}
	shape = ConfigShape{Kind: kindNames[c.kind], Allowed: c.allowed(Version{})}
	if exists := c.exists(); exists != (span{}) {
		shape.Allowed += " (exists " + exists.String() + ")"
	}
	for i, r := range c.rules {
		if i == 0 {
			shape.Names, shape.Low, shape.High = r.names, r.low, r.high
			continue
		}
		// What one release allows is allowed.
		if r.names == nil {
			shape.Names = nil
		}
		shape.Low = widest(shape.Low, r.low, func(a, b int64) int64 { return min(a, b) })
		shape.High = widest(shape.High, r.high, func(a, b int64) int64 { return max(a, b) })
	}
	return shape, true
}

func widest(a, b *int64, of func(a, b int64) int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	bound := of(*a, *b)
	return &bound
}
