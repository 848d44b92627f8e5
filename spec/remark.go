package spec

import "fmt"

// Remarks returns what is allowed and yet does not do what somebody may think:
// conditions about facts that are not known where they are asked. located says
// whether anybody knows the countries and networks of visitors.
func (z ZoneSpec) Remarks(located bool) []Mistake {
	r := remarks{located: located}
	for i, one := range z.Access.Allow {
		r.look(fmt.Sprintf("access.allow[%d].when", i), one.When, false)
	}
	for i, one := range z.Access.Block {
		r.look(fmt.Sprintf("access.block[%d].when", i), one.When, false)
	}
	for i, one := range z.Redirects.Rules {
		r.look(fmt.Sprintf("redirects.rules[%d].when", i), one.When, false)
	}
	for i, one := range z.Answers {
		r.look(fmt.Sprintf("answers[%d].when", i), one.When, false)
	}
	for i, one := range z.Rewrite.Requests {
		r.look(fmt.Sprintf("rewrite.requests[%d].when", i), one.When, false)
	}
	for i, one := range z.Rewrite.Answers {
		r.look(fmt.Sprintf("rewrite.answers[%d].when", i), one.When, true)
	}
	for i, one := range z.Cache.Rules {
		r.look(fmt.Sprintf("cache.rules[%d].when", i), one.When, false)
	}
	return r.found
}

type remarks struct {
	located bool
	found   []Mistake
}

func (r *remarks) look(path string, when ConditionSpec, answered bool) {
	const nor = "neither it nor its opposite ever holds"
	if len(when.Status) > 0 && !answered {
		r.found = append(r.found, Mistake{path + ".status", "there is no answer yet where this is asked, so " + nor})
	}
	if len(when.Country) > 0 && !r.located {
		r.found = append(r.found, Mistake{path + ".country", "no file says where visitors come from (node.places), so " + nor})
	}
	if len(when.Network) > 0 && !r.located {
		r.found = append(r.found, Mistake{path + ".network", "no file says where visitors come from (node.places), so " + nor})
	}
	for _, part := range []struct {
		name string
		list []ConditionSpec
	}{{"not", when.Not}, {"any", when.Any}, {"all", when.All}} {
		for i, inner := range part.list {
			r.look(fmt.Sprintf("%s.%s[%d]", path, part.name, i), inner, answered)
		}
	}
}
