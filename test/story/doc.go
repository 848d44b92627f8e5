// Package story tells what a visitor and an origin see of the real program,
// as text scripts, because that is what two parsers of one request would
// disagree about and what no test inside the program can vouch for.
//
// A script (testdata/*.txt) is read from top to bottom. A line says who
// speaks to whom:
//
//	# prose               before each group of cases; section numbers are RFC 9112's unless they say otherwise
//	% --zone a=URL        a flag of `seawall run` for the whole script
//	%% text               a line of its configuration file
//	== name               a case begins; a new visitor connects with the first line sent
//	-> text               the visitor sends this line and CRLF
//	->| text              the visitor sends this and nothing more
//	>> GET /              the visitor sends a whole request, to one.test unless a Host below says otherwise
//	>> Name: value        ... with this field
//	=> GET / HTTP/1.1     the origin has received exactly one whole request like this
//	=> Name: value        ... with this field (a value beginning with ~ is a regular expression)
//	=> !Name              ... without this field
//	=> body TEXT          ... with this body; also `trailer Name: value`
//	=> unfinished         ... of which only the head is needed; a later => looks again
//	=> on a new connection, => on the same connection, => unanswered
//	=> optional           the RFC lets the edge refuse instead (`<- 200 or 400`)
//	=> nothing            the origin has received nothing that is not accounted for above
//	=> incomplete         the same, or part of a request whose connection the edge then closed
//	=> closed             the edge closes the connection of the last request
//	=>| text              after an upgrade: the origin received these bytes
//	<= text, <=| text     the origin sends; without any, 200 and the body `ok`
//	<< 200 TEXT           the origin answers whole: with this status and body, framed by its length
//	<< Name: value        ... and with this field
//	<=! close             the origin closes (also `half-close` and `reset`)
//	<- 200                the visitor receives an answer with this status (`400 or 501`, `408 or nothing`)
//	<- Name: value, <- !Name, <- trailer Name: value
//	<- body TEXT, <- body has TEXT, <- body ~REGEXP, <- no body
//	<- head only          the body is not read yet (`<- rest` reads it; `<- cut` sees it cut short)
//	<- cut                the connection ends before the answer does
//	<- closed             no more bytes come and the connection ends
//	<- perhaps after 100
//	<- closed or reusable the one or the other, as its Connection field says
//	<- reusable           another request on the connection is answered as it should be
//	<-| text              after an upgrade: the visitor received these bytes
//	@ visitor NAME        speak as another visitor
//	@ half-close, @ hang up, @ reset
//	@ unanswered N        N requests got no answer in this case and are still logged
//	@ in two writes       separates two steps of one speaker
//	@ plain               the case is not played over TLS
//
// Escapes: \r \n \t \0 \\ \xHH, and {A*70000} for repetition; {origin},
// {edge} and {closed} are addresses (HOST:PORT), {now}, {now-60} and {now+60}
// dates in seconds from when the case began.
//
// In scripts whose name begins with cache a witness holds every answer against
// what the origin gave for that host and target, and asks every other zone
// for the same.
package story
