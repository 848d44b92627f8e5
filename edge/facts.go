package edge

import (
	"fmt"

	"github.com/seawall-edge/seawall/rule"
)

// facts gathers what conditions ask about, once for each request.
func (e *Edge) facts(c *climb) *rule.Facts {
	if c.gathered {
		return &c.known
	}
	x := c.x
	c.known = rule.Facts{
		Host: x.Host, Path: x.Path, Target: x.Target, Fields: x.Fields, Method: x.MethodName,
		Secure: x.Event.Secure, Protocol: x.Event.Protocol, Address: x.Client.Addr(), Time: c.now, Locate: e.locate,
	}
	c.gathered = true
	return &c.known
}

// title is what the Event and `seawall why` call a rule.
func title(kind, name string, place int) string {
	if name == "" {
		return fmt.Sprintf("%s[%d]", kind, place)
	}
	return kind + " " + name
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
