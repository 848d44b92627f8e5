package wire

// Problem says which rule of the grammar a message broke. Zero is none.
type Problem uint8

// What can be wrong with a message.
const (
	NoProblem             Problem = iota
	BadRequestLine                // RFC 9112, 3
	BadTarget                     // RFC 9112, 3.2
	TargetTooLong                 // RFC 9112, 3: 414
	BadVersion                    // RFC 9110, 2.5: a major version other than 1
	BadField                      // RFC 9112, 5: bare CR or LF, folding, space before the colon, control bytes
	FieldsTooLarge                // RFC 6585, 5
	BadLength                     // RFC 9112, 6.3: not a plain decimal number
	LengthConflict                // RFC 9112, 6.3: several lengths, or a length beside a transfer coding
	BadTransferCoding             // RFC 9112, 6.1: malformed, repeated, or chunked is not last
	UnknownTransferCoding         // RFC 9112, 6.1: 501
	BadStatusLine                 // RFC 9112, 4
	BadChunk                      // RFC 9112, 7.1
	TrailersTooLarge              // RFC 9112, 7.1.2
	HostMissing                   // RFC 9112, 3.2: HTTP/1.1 without Host, or an empty one
	HostRepeated                  // RFC 9112, 3.2
)

var problemTexts = [...]string{
	"none", "malformed request line", "malformed target", "target too long", "unsupported version", "malformed field",
	"fields too large", "malformed length", "conflicting lengths", "malformed transfer coding", "unknown transfer coding",
	"malformed status line", "malformed chunk", "trailers too large", "host missing", "host repeated",
}

// Error lets a Problem be wrapped as the cause of an error.
func (p Problem) Error() string { return problemTexts[p] }
