package rule

import (
	"fmt"
	"strings"

	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// Compile makes a condition of its spec. What spec.ZoneSpec.Validate has
// nothing against compiles, but for lists whose entries are not what the
// condition needs; the error names the entry.
func Compile(when spec.ConditionSpec, lists Lists) (*Condition, error) {
	c := &Condition{}
	for _, fact := range []struct {
		entries []string
		fold    bool
		guards  bool // it is the path, whose beginning is looked at first
		make    func(texts) test
	}{
		{when.Host, false, false, hostTest}, {when.Path, false, true, pathTest}, {when.RawPath, false, false, rawPathTest},
		{when.Extension, true, false, extensionTest}, {when.Method, false, false, methodTest},
	} {
		if len(fact.entries) == 0 {
			continue
		}
		t, err := newTexts(fact.entries, fact.fold, lists)
		if err != nil {
			return nil, err
		}
		t.settle()
		if fact.guards {
			c.guard = t.guard()
		}
		made := fact.make(t)
		made.cost = t.cost()
		c.add(made)
	}
	for _, fact := range []struct {
		entries   []string
		separator byte
		make      func([]named) test
	}{{when.Header, ':', headerTest}, {when.Query, '=', queryTest}, {when.Cookie, '=', cookieTest}} {
		if len(fact.entries) == 0 {
			continue
		}
		list, cost, err := parseNamed(fact.entries, fact.separator)
		if err != nil {
			return nil, err
		}
		made := fact.make(list)
		made.cost = cost
		c.add(made)
	}
	for _, add := range []func(*Condition, spec.ConditionSpec, Lists) error{
		addScheme, addProtocol, addAddress, addCountry, addNetwork, addTime, addHours, addTLS, addStatus, addInner,
	} {
		if err := add(c, when, lists); err != nil {
			return nil, err
		}
	}
	c.order()
	return c, nil
}

func newTexts(entries []string, fold bool, lists Lists) (texts, error) {
	t := texts{fold: fold}
	for _, entry := range entries {
		if name, isList := strings.CutPrefix(entry, "@"); isList {
			list, err := lists.find(name)
			if err != nil {
				return texts{}, err
			}
			list.asTexts(fold)
			t.lists = append(t.lists, list)
			continue
		}
		p, err := pattern.Parse(entry, fold)
		if err != nil {
			return texts{}, err
		}
		t.add(p)
	}
	return t, nil
}

// named is a field, a cookie or a query field and what its value has to be.
type named struct {
	name  []byte
	known wire.Name
	value *pattern.Pattern
}

func parseNamed(entries []string, separator byte) (list []named, cost int, err error) {
	for _, entry := range entries {
		name, value, err := pattern.ParseNamed(entry, separator, separator == ':')
		if err != nil {
			return nil, 0, err
		}
		list = append(list, named{[]byte(name), wire.Lookup([]byte(name)), value})
		cost += costFields
		if value.Costly() {
			cost += costSearch
		}
	}
	return list, cost, nil
}

func addInner(c *Condition, when spec.ConditionSpec, lists Lists) error {
	for _, part := range []struct {
		specs []spec.ConditionSpec
		make  func([]*Condition) test
	}{{when.All, allTest}, {when.Any, anyTest}, {when.Not, notTest}} {
		if len(part.specs) == 0 {
			continue
		}
		var inner []*Condition
		cost := 0
		for _, s := range part.specs {
			condition, err := Compile(s, lists)
			if err != nil {
				return err
			}
			inner = append(inner, condition)
			cost += condition.cost()
		}
		made := part.make(inner)
		made.cost = cost
		c.add(made)
	}
	return nil
}

func allTest(inner []*Condition) test {
	return test{
		ask: func(f *Facts) truth {
			least := yes
			for _, c := range inner {
				if least = min(least, c.truth(f)); least == no {
					break
				}
			}
			return least
		},
		why: func(f *Facts) string {
			var parts []string
			for _, c := range inner {
				parts = append(parts, c.Why(f)...)
			}
			return strings.Join(parts, " and ")
		},
	}
}

func anyTest(inner []*Condition) test {
	return test{
		ask: func(f *Facts) truth {
			best := no
			for _, c := range inner {
				if best = max(best, c.truth(f)); best == yes {
					break
				}
			}
			return best
		},
		why: func(f *Facts) string {
			for _, c := range inner {
				if parts := c.Why(f); parts != nil {
					return strings.Join(parts, " and ")
				}
			}
			return ""
		},
	}
}

func notTest(inner []*Condition) test {
	return test{
		ask: func(f *Facts) truth {
			most := no
			for _, c := range inner {
				if most = max(most, c.truth(f)); most == yes {
					break
				}
			}
			return yes - most
		},
		why: func(*Facts) string { return fmt.Sprintf("none of %d exceptions", len(inner)) },
	}
}
