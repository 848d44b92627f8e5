package edge

import "github.com/seawall-edge/seawall/rule"

// facts gathers what conditions ask about, once for each request.
func (e *Edge) facts(c *climb) *rule.Facts {
	if c.gathered {
		return &c.known
	}
	x := c.x
	f := &c.known
	f.Reset()
	f.Host, f.Path, f.Target, f.Fields, f.Method = x.Host, x.Path, x.Target, x.Fields, x.MethodName
	f.Secure, f.Protocol, f.Address, f.Time, f.Locate = x.Event.Secure, x.Event.Protocol, x.Client.Addr(), c.now, e.locate
	f.Version, f.JA4, f.Credential, f.Recorded = 0, nil, c.shown, false
	if t := x.TLS; t != nil {
		f.Version, f.Recorded = t.Version, t.Recorded
		if t.JA4[0] != 0 {
			f.JA4 = t.JA4[:]
		}
	}
	c.gathered = true
	return f
}

// mention notes that a rule had a say.
func (c *climb) mention(title string) {
	if len(c.ruled) > 0 {
		c.ruled = append(c.ruled, ", "...)
	}
	c.ruled = append(c.ruled, title...)
	if c.explains {
		c.titles = append(c.titles, title)
	}
}
