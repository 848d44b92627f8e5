package rule

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/prefix"
	"github.com/seawall-edge/seawall/spec"
)

func addScheme(c *Condition, when spec.ConditionSpec, _ Lists) error {
	if len(when.Scheme) == 0 {
		return nil
	}
	var http, https bool
	for _, scheme := range when.Scheme {
		http, https = http || scheme == "http", https || scheme == "https"
	}
	c.add(test{
		ask: func(f *Facts) truth { return is(f.Secure && https || !f.Secure && http) },
		why: func(f *Facts) string {
			if f.Secure {
				return "scheme is https"
			}
			return "scheme is http"
		},
		cost: costCompare,
	})
	return nil
}

func addProtocol(c *Condition, when spec.ConditionSpec, _ Lists) error {
	if len(when.Protocol) == 0 {
		return nil
	}
	var wanted [seawall.ProtocolHTTP3 + 1]bool
	for protocol := seawall.ProtocolUnknown; protocol <= seawall.ProtocolHTTP3; protocol++ {
		for _, name := range when.Protocol {
			wanted[protocol] = wanted[protocol] || name == protocol.String()
		}
	}
	c.add(test{
		ask:  func(f *Facts) truth { return is(wanted[f.Protocol]) },
		why:  func(f *Facts) string { return fmt.Sprintf("protocol is %s", f.Protocol) },
		cost: costCompare,
	})
	return nil
}

// addressSet is a set of addresses and what it is called.
type addressSet struct {
	name string
	in   *prefix.Set
}

func addAddress(c *Condition, when spec.ConditionSpec, lists Lists) error {
	if len(when.Address) == 0 {
		return nil
	}
	var own []string
	var sets []addressSet
	for _, entry := range when.Address {
		if !strings.HasPrefix(entry, "@") {
			own = append(own, entry)
			continue
		}
		list, err := lists.find(entry[1:])
		if err == nil {
			err = list.asAddresses()
		}
		if err != nil {
			return err
		}
		sets = append(sets, addressSet{entry, list.addresses})
	}
	if len(own) > 0 {
		set, wrong := prefix.Parse(own)
		if len(wrong) > 0 {
			return fmt.Errorf("%s: %s", own[wrong[0].Index], wrong[0].Text)
		}
		sets = append([]addressSet{{"listed", set}}, sets...)
	}
	find := func(address netip.Addr) *addressSet {
		for i := range sets {
			if sets[i].in.Contains(address) {
				return &sets[i]
			}
		}
		return nil
	}
	c.add(test{
		ask: func(f *Facts) truth {
			if !f.Address.IsValid() {
				return unknown
			}
			for i := range sets {
				if sets[i].in.Contains(f.Address) {
					return yes
				}
			}
			return no
		},
		why:  func(f *Facts) string { return fmt.Sprintf("address %s is %s", f.Address, find(f.Address).name) },
		cost: costFields,
	})
	return nil
}

func addCountry(c *Condition, when spec.ConditionSpec, lists Lists) error {
	if len(when.Country) == 0 {
		return nil
	}
	var wanted [26 * 26]bool
	place := func(code [2]byte) int { return int(code[0]-'A')*26 + int(code[1]-'A') }
	err := expand(when.Country, lists, func(text string) string {
		code, wrong := spec.ParseCountry(text)
		if wrong == "" {
			wanted[place(code)] = true
		}
		return wrong
	})
	c.add(test{
		ask: func(f *Facts) truth {
			if f.locate(); f.Country == [2]byte{} {
				return unknown
			}
			at := place(f.Country)
			return is(at >= 0 && at < len(wanted) && wanted[at])
		},
		why:  func(f *Facts) string { return fmt.Sprintf("country is %s", f.Country[:]) },
		cost: costText,
	})
	return err
}

func addNetwork(c *Condition, when spec.ConditionSpec, lists Lists) error {
	if len(when.Network) == 0 {
		return nil
	}
	var wanted []uint32
	err := expand(when.Network, lists, func(text string) string {
		number, wrong := spec.ParseNetwork(text)
		wanted = append(wanted, number)
		return wrong
	})
	slices.Sort(wanted)
	c.add(test{
		ask: func(f *Facts) truth {
			if f.locate(); f.Network == 0 {
				return unknown
			}
			_, in := slices.BinarySearch(wanted, f.Network)
			return is(in)
		},
		why:  func(f *Facts) string { return fmt.Sprintf("network is AS%d", f.Network) },
		cost: costText,
	})
	return err
}

// expand calls take for every entry and for every entry of the lists named.
func expand(entries []string, lists Lists, take func(string) (wrong string)) error {
	for _, entry := range entries {
		if !strings.HasPrefix(entry, "@") {
			if wrong := take(entry); wrong != "" {
				return errors.New(wrong)
			}
			continue
		}
		list, err := lists.find(entry[1:])
		if err != nil {
			return err
		}
		for _, text := range list.spec.All() {
			if wrong := take(text); wrong != "" {
				return fmt.Errorf("list %s: %s", list.name, wrong)
			}
		}
	}
	return nil
}

func addTime(c *Condition, when spec.ConditionSpec, _ Lists) error {
	after, before := when.After, when.Before
	if after.IsZero() && before.IsZero() {
		return nil
	}
	c.add(test{
		ask: func(f *Facts) truth {
			return is((after.IsZero() || !f.Time.Before(after.Time())) && (before.IsZero() || f.Time.Before(before.Time())))
		},
		why:  func(*Facts) string { return "the time has come" },
		cost: costCompare,
	})
	return nil
}

func addHours(c *Condition, when spec.ConditionSpec, _ Lists) error {
	if len(when.Hours) == 0 {
		return nil
	}
	var all []spec.Hours
	for _, text := range when.Hours {
		hours, wrong := spec.ParseHours(text)
		if wrong != "" {
			return errors.New(wrong)
		}
		all = append(all, hours)
	}
	c.add(test{
		ask: func(f *Facts) truth {
			for i := range all {
				if all[i].Contains(f.Time) {
					return yes
				}
			}
			return no
		},
		why:  func(f *Facts) string { return "it is " + f.Time.UTC().Format("Mon 15:04") },
		cost: costFields,
	})
	return nil
}

func addStatus(c *Condition, when spec.ConditionSpec, _ Lists) error {
	if len(when.Status) == 0 {
		return nil
	}
	var spans [][2]int
	for _, text := range when.Status {
		low, high, wrong := spec.ParseStatus(text)
		if wrong != "" {
			return errors.New(wrong)
		}
		spans = append(spans, [2]int{low, high})
	}
	c.add(test{
		ask: func(f *Facts) truth {
			if f.Status == 0 {
				return unknown
			}
			for _, span := range spans {
				if f.Status >= span[0] && f.Status <= span[1] {
					return yes
				}
			}
			return no
		},
		why:  func(f *Facts) string { return fmt.Sprintf("status is %d", f.Status) },
		cost: costCompare,
	})
	return nil
}
