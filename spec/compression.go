package spec

// CompressionSpec says in which codings visitors get what compresses well.
// Answers that the origin has compressed, small ones, parts and those that
// say no-transform stay as they are.
type CompressionSpec struct {
	// Off compresses nothing. Default: false.
	Off bool `yaml:"off,omitempty" json:"off,omitempty"`

	// Codings are zstd, br and gzip, the best liked first: among those that a
	// visitor likes the same. Default: zstd, br, gzip.
	Codings []string `yaml:"codings,omitempty" json:"codings,omitempty"`

	// Level is from 1, the fastest, to 9, the smallest. Default: 5.
	Level int `yaml:"level,omitempty" json:"level,omitempty"`

	// MinSize is the smallest body that is compressed. Default: 1KiB.
	MinSize Bytes `yaml:"min_size,omitempty" json:"min_size,omitzero"`

	// Cookies compresses answers that set cookies or depend on them as well.
	// Whoever can make a visitor's browser ask for addresses of its choice and
	// sees how long the answers are learns what is secret in them (BREACH).
	// Default: false.
	Cookies bool `yaml:"cookies,omitempty" json:"cookies,omitempty"`
}

func (c CompressionSpec) resolved() CompressionSpec {
	if len(c.Codings) == 0 {
		c.Codings = []string{"zstd", "br", "gzip"}
	}
	setDefault(&c.Level, 5)
	setDefault(&c.MinSize, 1<<10)
	return c
}

func (l *mistakes) compression(c CompressionSpec) {
	seen := map[string]bool{}
	for i, coding := range c.Codings {
		path := "compression.codings"
		if err := oneOf("zstd", "br", "gzip")(coding); err != nil {
			l.add(path, "entry %d: %v", i+1, err)
		} else if seen[coding] {
			l.add(path, "%s is in the list twice", coding)
		}
		seen[coding] = true
	}
	if c.Level < 0 || c.Level > 9 {
		l.add("compression.level", "%d is outside of 1 to 9", c.Level)
	}
	if c.MinSize < 0 || c.MinSize > largestObject {
		l.add("compression.min_size", "%s is outside of 1B to %s", c.MinSize, largestObject)
	}
}
