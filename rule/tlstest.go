package rule

import (
	"crypto/tls"
	"fmt"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/spec"
)

// addTLS adds what is asked about the handshake. On a plain connection, and
// without a credential, the answer is no: a rule about all but those who have
// shown one has to hold for who shows nothing.
func addTLS(c *Condition, when spec.ConditionSpec, lists Lists) error {
	t := when.TLS
	if len(t.Version) > 0 {
		c.add(versionTest(t.Version))
	}
	for _, fact := range []struct {
		name    string
		entries []string
		of      func(*Facts) []byte // nil: there is none
	}{
		{"JA4", t.JA4, func(f *Facts) []byte { return f.JA4 }},
		{"subject", t.Subject, credential(func(c *seawall.Credential) []byte { return c.Subject })},
		{"issuer", t.Issuer, credential(func(c *seawall.Credential) []byte { return c.Issuer })},
		{"fingerprint", t.Fingerprint, credential(func(c *seawall.Credential) []byte { return c.Fingerprint })},
	} {
		if len(fact.entries) == 0 {
			continue
		}
		wanted, err := newTexts(fact.entries, false, lists)
		if err != nil {
			return err
		}
		wanted.settle()
		c.add(test{
			ask: func(f *Facts) truth {
				if text := fact.of(f); text != nil {
					return is(wanted.match(text))
				}
				return absent(f)
			},
			why: func(f *Facts) string {
				return fmt.Sprintf("%s %s is %s", fact.name, fact.of(f), wanted.which(fact.of(f)))
			},
			cost: wanted.cost(),
		})
	}
	return addCredentialName(c, t.Name, lists)
}

// credential makes of a question about a credential one about what is known.
func credential(of func(*seawall.Credential) []byte) func(*Facts) []byte {
	return func(f *Facts) []byte {
		if f.Credential == nil {
			return nil
		}
		return of(f.Credential)
	}
}

// absent is the answer about what was not told.
func absent(f *Facts) truth {
	if f.Recorded && f.Secure {
		return unknown
	}
	return no
}

func versionTest(entries []string) test {
	wanted := map[uint16]string{}
	for _, entry := range entries {
		switch entry {
		case spec.TLS12:
			wanted[tls.VersionTLS12] = entry
		case spec.TLS13:
			wanted[tls.VersionTLS13] = entry
		}
	}
	return test{
		ask: func(f *Facts) truth {
			if f.Version == 0 {
				return absent(f)
			}
			return is(wanted[f.Version] != "")
		},
		why:  func(f *Facts) string { return "TLS is " + wanted[f.Version] },
		cost: costText,
	}
}

// addCredentialName asks whether one of the alternative names is wanted.
func addCredentialName(c *Condition, entries []string, lists Lists) error {
	if len(entries) == 0 {
		return nil
	}
	wanted, err := newTexts(entries, false, lists)
	if err != nil {
		return err
	}
	wanted.settle()
	find := func(f *Facts) []byte {
		if f.Credential != nil {
			for _, name := range f.Credential.Names {
				if wanted.match(name) {
					return name
				}
			}
		}
		return nil
	}
	c.add(test{
		ask: func(f *Facts) truth {
			if f.Credential == nil {
				return absent(f)
			}
			return is(find(f) != nil)
		},
		why:  func(f *Facts) string { return fmt.Sprintf("certificate name %s is %s", find(f), wanted.which(find(f))) },
		cost: wanted.cost() * 2,
	})
	return nil
}
