package rule

import "slices"

// Condition is a compiled spec.ConditionSpec. It is safe for any number of
// readers. A nil Condition holds for every request.
type Condition struct {
	guard guard  // how the path has to begin
	tests []test // all have to hold; the cheap ones first
}

// test is one question about one fact, or conditions within the condition.
type test struct {
	ask  func(*Facts) truth
	why  func(*Facts) string // what holds, in words; asked only where it does
	cost int                 // to sort by
}

// What tests cost, roughly in nanoseconds.
const (
	costCompare = 2
	costText    = 5
	costFields  = 20
	costSearch  = 200
)

// Holds reports whether the condition holds for what is known.
func (c *Condition) Holds(f *Facts) bool {
	return c == nil || c.guard.passes(f) && c.tested(f) == yes
}

func (c *Condition) truth(f *Facts) truth {
	if !c.guard.passes(f) {
		return no
	}
	return c.tested(f)
}

// tested asks all but how the path begins.
func (c *Condition) tested(f *Facts) truth {
	all := yes
	for i := range c.tests {
		switch c.tests[i].ask(f) {
		case no:
			return no
		case unknown:
			all = unknown
		}
	}
	return all
}

// Empty reports whether the condition holds for every request.
func (c *Condition) Empty() bool { return c == nil || len(c.tests) == 0 }

// Why says what of the condition holds, one entry for each test; nil where
// the condition does not hold.
func (c *Condition) Why(f *Facts) []string {
	if c.Empty() {
		return []string{"every request"}
	}
	if !c.Holds(f) {
		return nil
	}
	all := make([]string, len(c.tests))
	for i := range c.tests {
		all[i] = c.tests[i].why(f)
	}
	return all
}

func (c *Condition) add(t test) { c.tests = append(c.tests, t) }

// order puts the cheap tests first; those of one cost keep their order.
func (c *Condition) order() {
	slices.SortStableFunc(c.tests, func(a, b test) int { return a.cost - b.cost })
}

func (c *Condition) cost() (total int) {
	for _, t := range c.tests {
		total += t.cost
	}
	return total
}
