package rule

// A todo list, and TODOS, are words.
var _ = fix() // TODO(somebody) test this
