package spec

import "fmt"

// AccessSpec says who is let in and who is not. Allow goes before Block, and
// before every ban that the edge makes by itself.
type AccessSpec struct {
	// Allow lets in whoever one of these is about. Default: none.
	Allow []AllowSpec `yaml:"allow,omitempty" json:"allow,omitempty"`

	// Block turns away, or only notes, whoever one of these is about: the
	// first that holds and is not only there to note. Default: none.
	Block []BlockSpec `yaml:"block,omitempty" json:"block,omitempty"`
}

// AllowSpec lets some visitors in.
type AllowSpec struct {
	// Name is how `seawall why` calls the entry. Default: its place in the list.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// When says whom it is about. Something must be set.
	When ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`

	// Note is for whoever reads the list later. Default: none.
	Note string `yaml:"note,omitempty" json:"note,omitempty"`

	// Until is when the entry ends. Default: never.
	Until Time `yaml:"until,omitempty" json:"until,omitzero"`
}

// BlockSpec turns some visitors away.
type BlockSpec struct {
	// Name, When, Note and Until are as in AllowSpec.
	Name  string        `yaml:"name,omitempty" json:"name,omitempty"`
	When  ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`
	Note  string        `yaml:"note,omitempty" json:"note,omitempty"`
	Until Time          `yaml:"until,omitempty" json:"until,omitzero"`

	// Action is "block", which answers 403, or "log", which notes the entry in
	// the Event and leaves the decision to the next. Default: block.
	Action string `yaml:"action,omitempty" json:"action,omitempty"`
}

// What BlockSpec.Action may say.
const (
	ActionBlock = "block"
	ActionLog   = "log"
)

func (l *mistakes) access(a AccessSpec, conditions *conditions) {
	l.names("access.allow", len(a.Allow), func(i int) string { return a.Allow[i].Name })
	l.names("access.block", len(a.Block), func(i int) string { return a.Block[i].Name })
	for i, entry := range a.Allow {
		path := fmt.Sprintf("access.allow[%d]", i)
		if entry.When.isZero() {
			l.add(path+".when", "whom is it about? Without a condition every block would be without effect")
		}
		conditions.check(path+".when", entry.When)
	}
	for i, entry := range a.Block {
		path := fmt.Sprintf("access.block[%d]", i)
		if entry.When.isZero() {
			l.add(path+".when", "whom is it about? Without a condition nobody could come in; use maintenance to close the site")
		}
		conditions.check(path+".when", entry.When)
		l.word(path+".action", entry.Action, ActionBlock, ActionLog)
	}
}

// ValidateAccess returns every mistake in an access list that is no zone's.
func ValidateAccess(a AccessSpec, lists []ListSpec) []Mistake {
	var list mistakes
	list.lists(lists)
	list.access(a, list.conditions(lists))
	return list
}
