// Go programs that the stories use, pinned here so that the house's own
// module does not need them.
module applications

go 1.26.0

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/yuin/goldmark v1.4.13 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)

tool (
	github.com/gorilla/websocket/examples/chat
	golang.org/x/tools/cmd/present
)
