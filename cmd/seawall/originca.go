package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/seawall-edge/seawall/edge/certs"
	"github.com/seawall-edge/seawall/internal/durable"
)

// originCACommand is `seawall origin-ca`.
type originCACommand struct {
	Root    originRootCommand    `cmd:"" help:"Print the root of a zone's own authority: what the zone's servers demand of the edge, and trust."`
	Issue   originIssueCommand   `cmd:"" help:"Issue a certificate for a server of the zone, which the edge believes with origin.tls.trust_own."`
	Snippet originSnippetCommand `cmd:"" help:"Print the configuration with which a server turns away everybody but the edge."`
}

// zoneAuthority is whose authority a command is about.
type zoneAuthority struct {
	State   string `placeholder:"DIR" default:"${state}" help:"State directory (default ${default})."`
	SealKey string `placeholder:"FILE" help:"The key that keys are sealed with (default seal.key in the state directory, made if it is missing)."`
	Zone    string `arg:"" help:"Name of the zone."`
}

func (z zoneAuthority) open() (*certs.Authority, error) {
	sealer, err := openSealer(z.State, z.SealKey)
	if err != nil {
		return nil, err
	}
	return openZoneAuthority(z.State, strings.ToLower(z.Zone), sealer)
}

// openSealer opens the key at path; where path is empty, that of the state
// directory, which is made if need be.
func openSealer(state, path string) (*certs.Sealer, error) {
	if path != "" {
		return certs.OpenSealer(path, false)
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	return certs.OpenSealer(sealKey(state), true)
}

type originRootCommand struct{ zoneAuthority }

// Run prints the root in PEM.
func (c originRootCommand) Run(p *program) error {
	authority, err := c.open()
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(authority.RootPEM())
	return err
}

type originIssueCommand struct {
	zoneAuthority
	Names []string `arg:"" help:"Names and addresses of the server: what the edge asks for, see origin.server_name."`
	Chain string   `required:"" placeholder:"FILE" help:"Where the certificate goes."`
	Key   string   `required:"" placeholder:"FILE" help:"Where its key goes, readable by its owner alone."`
	Days  int      `default:"365" help:"How long it is valid (default ${default})."`
}

// Run writes the key first: without a certificate it is of no use to anybody.
func (c originIssueCommand) Run(p *program) error {
	const most = 10 * 365
	if c.Days < 1 || c.Days > most {
		return usageError{fmt.Errorf("%d days are outside of 1 to %d", c.Days, most)}
	}
	for _, path := range []string{c.Chain, c.Key} {
		if _, err := os.Lstat(path); err == nil {
			return errors.New(path + " exists; nothing is overwritten")
		}
	}
	authority, err := c.open()
	if err != nil {
		return err
	}
	chain, key, err := authority.IssueServer(c.Names, time.Duration(c.Days)*24*time.Hour)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(c.Key, key, 0o600); err != nil {
		return err
	}
	if err := durable.WriteFile(c.Chain, chain, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s and %s are for a server of %s; issue others before %s.\nHave the edge believe them with origin.tls.trust_own.\n",
		c.Chain, c.Key, c.Zone, time.Now().AddDate(0, 0, c.Days).Format(time.DateOnly))
	return nil
}

type originSnippetCommand struct {
	Server string `arg:"" enum:"nginx,apache,caddy" help:"nginx, apache or caddy."`
	Zone   string `arg:"" help:"Name of the zone."`
	Root   string `placeholder:"FILE" help:"Where the server has the root (default /etc/seawall/ZONE-root.pem)."`
	Chain  string `placeholder:"FILE" help:"Where it has its certificate (default /etc/seawall/ZONE.pem)."`
	Key    string `placeholder:"FILE" help:"Where it has the key (default /etc/seawall/ZONE.key)."`
}

// Run prints what goes into the server's configuration.
func (c originSnippetCommand) Run(p *program) error {
	for _, file := range []struct {
		path *string
		end  string
	}{{&c.Root, "-root.pem"}, {&c.Chain, ".pem"}, {&c.Key, ".key"}} {
		orElse(file.path, "/etc/seawall/"+c.Zone+file.end)
		if strings.ContainsFunc(*file.path, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"';{}#$\`, r) }) {
			return usageError{fmt.Errorf("%q cannot stand in such a configuration as it is", *file.path)}
		}
	}
	return snippets.ExecuteTemplate(p.stdout, c.Server, c)
}

// snippets begin with how to come by the files.
var snippets = template.Must(template.New("").Parse(`
{{- define "files" -}}
# seawall origin-ca root {{.Zone}} > {{.Root}}
# seawall origin-ca issue {{.Zone}} NAME --chain {{.Chain}} --key {{.Key}}
# and for the zone: origin: {tls: {show_own: true, trust_own: true}}
{{end -}}
{{- define "nginx" -}}
{{template "files" .}}# In the server block, after listen 443 ssl:
ssl_certificate        {{.Chain}};
ssl_certificate_key    {{.Key}};
ssl_client_certificate {{.Root}};
ssl_verify_client      on;
{{end -}}
{{- define "apache" -}}
{{template "files" .}}# In the VirtualHost:
SSLEngine             on
SSLCertificateFile    {{.Chain}}
SSLCertificateKeyFile {{.Key}}
SSLCACertificateFile  {{.Root}}
SSLVerifyClient       require
SSLVerifyDepth        1
{{end -}}
{{- define "caddy" -}}
{{template "files" .}}# In the site's block:
tls {{.Chain}} {{.Key}} {
	client_auth {
		mode require_and_verify
		trusted_ca_cert_file {{.Root}}
	}
}
{{end -}}
`))
