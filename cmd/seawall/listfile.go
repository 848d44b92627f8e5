package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seawall-edge/seawall/spec"
)

// largestListFile bounds one file of a list, in bytes.
const largestListFile = 64 << 20

// readListFiles fills in what is in the files that lists and answers name. A path begins
// at the folder of the configuration, so that the two can be moved together.
func (s source) readListFiles(c *Config) (wrong []spec.Mistake) {
	read := func(path, name string, text *string) {
		if name == "" {
			return
		}
		content, err := readListFile(s.File, name)
		if err != nil {
			wrong = append(wrong, spec.Mistake{Path: path, Text: err.Error()})
			return
		}
		*text = content
	}
	all := func(prefix string, lists []spec.ListSpec) {
		for i := range lists {
			read(fmt.Sprintf("%slists[%d].file", prefix, i), lists[i].File, &lists[i].Text)
		}
	}
	for _, place := range []*string{&c.Node.Places.Country, &c.Node.Places.Network} {
		if *place != "" {
			*place = besides(s.File, *place) // read by whoever serves, and again when it changes
		}
	}
	all("node.", c.Node.Lists)
	for i := range c.Zones {
		z := &c.Zones[i]
		prefix := fmt.Sprintf("zones[%d].", i)
		all(prefix, z.Lists)
		files := []*string{&z.Origin.TLS.Show.Chain, &z.Origin.TLS.Show.Key}
		for j := range z.TLS.Certificates {
			files = append(files, &z.TLS.Certificates[j].Chain, &z.TLS.Certificates[j].Key)
		}
		for _, name := range files {
			if *name != "" {
				*name = besides(s.File, *name)
			}
		}
		visitors := &z.TLS.ClientCertificates
		read(prefix+"tls.client_certificates.authorities", visitors.Authorities, &visitors.Text)
		for j := range z.Answers {
			read(fmt.Sprintf("%sanswers[%d].file", prefix, j), z.Answers[j].File, &z.Answers[j].Text)
		}
		for j := range z.Redirects.Lists {
			list := &z.Redirects.Lists[j]
			read(fmt.Sprintf("%sredirects.lists[%d].file", prefix, j), list.File, &list.Text)
		}
	}
	return wrong
}

func readListFile(config, name string) (string, error) {
	name = besides(config, name)
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, largestListFile+1))
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(content) > largestListFile {
		return "", fmt.Errorf("%s has more than %d bytes", name, largestListFile)
	}
	return string(content), nil
}

// besides returns the path of a file that the configuration names.
func besides(config, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(config), name)
}
