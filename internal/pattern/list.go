package pattern

// List is patterns of which one has to match.
type List []*Pattern

// ParseList reads patterns; the error is that of the first that is wrong.
func ParseList(texts []string, fold bool) (List, error) {
	var list List
	for _, text := range texts {
		p, err := Parse(text, fold)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Match reports whether one of the patterns matches a text.
func (l List) Match(text []byte) bool {
	for _, p := range l {
		if p.Match(text) {
			return true
		}
	}
	return false
}
