package pages

import "github.com/seawall-edge/seawall"

// piece is one of the five pieces on the way from the visitor to the site.
// The picture shows them in this order; what comes before the broken one
// works, what comes after it was not reached.
type piece uint8

const (
	pieceYou   piece = iota
	pieceLine        // between the visitor and the edge
	pieceEdge        //
	pieceRoute       // between the edge and the site
	pieceSite        //
	pieceNone        // nothing is broken, and nothing but the site's owner is in the way
)

const pieces = int(pieceNone) + 1

// pieceNames are the words programs read.
var pieceNames = [pieces]string{"visitor", "visitor-connection", "edge", "site-connection", "site", "none"}

// story is what a visitor needs to know; many reasons share one.
type story struct {
	heading  string
	sentence string // only for pages without a reason, which has its own
	fault    string // where the fault seems to lie
	advice   string // what the visitor can do now
	broken   piece
}

type storyName uint8

const (
	storyRequest storyName = iota
	storyAddress
	storyTooMuch
	storyMethod
	storyLate
	storyBusy
	storyTooMany
	storyUnknown
	storyScheme
	storyUnreachable
	storySilent
	storyBroken
	storyDetour
	storySetup
	storyQueue
	storyDown
	storyBlocked
	storyCertificate
	storyMaintenance
	storyRestart
	storyInternal
)

const storyCount = int(storyInternal) + 1

var stories = [storyCount]story{
	storyRequest: {
		heading:  "This request was refused",
		sentence: "The request cannot be answered as it was sent.",
		fault:    "With the request: your browser, an extension, or a program on the way sent something that is not allowed. The site itself is not affected.",
		advice:   "Go back and try again. If that does not help, try another browser or switch off extensions.",
		broken:   pieceYou,
	},
	storyAddress: {
		heading: "This address does not work",
		fault:   "With the address. The site itself is not affected.",
		advice:  "Check the address. If you followed a link, start from the front page of the site instead.",
		broken:  pieceYou,
	},
	storyTooMuch: {
		heading: "Your browser sent too much",
		fault:   "Most often with cookies that have piled up in your browser. The site itself is not affected.",
		advice:  "Delete the cookies of this site in your browser, then load the page again.",
		broken:  pieceYou,
	},
	storyMethod: {
		heading: "This cannot be done here",
		fault:   "With the request: it asks for something that this site does not offer.",
		advice:  "Go back and take another way to what you wanted to do.",
		broken:  pieceYou,
	},
	storyLate: {
		heading: "Your request took too long",
		fault:   "With the connection between you and this server. The site itself is not affected.",
		advice:  "Check your connection, then try again. A large upload may need a faster network.",
		broken:  pieceLine,
	},
	storyBusy: {
		heading: "Too much is going on right now",
		fault:   "With this server, the edge in front of the site. It is not your fault.",
		advice:  "Wait a minute, then load the page again.",
		broken:  pieceEdge,
	},
	storyTooMany: {
		heading: "Too many connections at once",
		fault:   "With your network: you, or others who share its address, have too many connections open. The site itself is not affected.",
		advice:  "Stop other downloads from this site, wait a minute, then load the page again.",
		broken:  pieceYou,
	},
	storyUnknown: {
		heading: "This site is not here",
		fault:   "With the address, or with the set-up of the site: its name leads to this server, but this server does not know it.",
		advice:  "Check the address for typing mistakes. If it is right, try again later: the site may be moving.",
		broken:  pieceSite,
	},
	storyScheme: {
		heading: "This connection is the wrong one",
		fault:   "With the connection: your browser used one that was opened for another address.",
		advice:  "Load the page again. If that does not help, close the browser and open it again.",
		broken:  pieceLine,
	},
	storyUnreachable: {
		heading: "The site cannot be reached",
		fault:   "With the site's server or the network in front of it. It is not your fault.",
		advice:  "Wait a few minutes, then load the page again.",
		broken:  pieceRoute,
	},
	storySilent: {
		heading: "The site does not answer",
		fault:   "With the site's server: it is there, but too slow. It is not your fault.",
		advice:  "Wait a few minutes, then load the page again. If you were sending a form, first check whether it arrived.",
		broken:  pieceSite,
	},
	storyBroken: {
		heading: "The site's answer was broken",
		fault:   "With the site's server. It is not your fault.",
		advice:  "Load the page again in a moment. If you were sending a form, first check whether it arrived.",
		broken:  pieceSite,
	},
	storyDetour: {
		heading: "This is not the way in",
		fault:   "With the way to this server: connections have to come through another server, and yours did not. The site itself is not affected.",
		advice:  "Use the usual address of the site. If you did, wait a few minutes, then load the page again.",
		broken:  pieceLine,
	},
	storySetup: {
		heading: "The site is not set up right",
		fault:   "With the set-up of the site: it does not lead to a server that can be asked. It is not your fault.",
		advice:  "Try again later. Only the site's owner can mend this.",
		broken:  pieceRoute,
	},
	storyQueue: {
		heading: "The site is very busy",
		fault:   "With the site's server: more is asked of it than it can do at once. It is not your fault.",
		advice:  "Wait a minute, then load the page again.",
		broken:  pieceSite,
	},
	storyDown: {
		heading: "The site is down",
		fault:   "With the site's server: it failed several times in a row, so it is left in peace until it works again. It is not your fault.",
		advice:  "Wait a few minutes, then load the page again.",
		broken:  pieceSite,
	},
	storyBlocked: {
		heading: "This site does not let you in",
		fault:   "Nothing is broken. It is a decision: about the network you come from, the address you asked for, or the program you use.",
		advice:  "If that is a mistake, tell the owner of the site the number below.",
		broken:  pieceNone,
	},
	storyCertificate: {
		heading: "This site asks for your certificate",
		fault:   "Nothing is broken. The site is open to those who have a certificate of its own on their device, over a secure connection.",
		advice:  "If you have one, close the browser, open it again and choose the certificate when you are asked. If you have none, ask the owner of the site.",
		broken:  pieceNone,
	},
	storyMaintenance: {
		heading: "The site is taking a break",
		fault:   "Nothing is broken: its owner is at work and will open it again.",
		advice:  "Come back a little later. If you were sending a form, it did not arrive: keep your text and send it again then.",
		broken:  pieceNone,
	},
	storyRestart: {
		heading: "This server is restarting",
		fault:   "With this server, the edge in front of the site: it is being replaced. It is not your fault.",
		advice:  "Load the page again in a few seconds.",
		broken:  pieceEdge,
	},
	storyInternal: {
		heading:  "Something went wrong here",
		sentence: "This server cannot answer at the moment.",
		fault:    "With this server, the edge in front of the site. It is not your fault.",
		advice:   "Load the page again in a moment.",
		broken:   pieceEdge,
	},
}

// storyOf returns the story of a reason. A page without a reason has the
// class of its status code to go by.
func storyOf(r seawall.Reason, status int) storyName {
	switch r {
	case seawall.ReasonNone:
		if status < 500 {
			return storyRequest
		}
		return storyInternal
	case seawall.ReasonTarget, seawall.ReasonTargetClimbs, seawall.ReasonTargetEnds, seawall.ReasonTargetTooLong:
		return storyAddress
	case seawall.ReasonFieldsTooLarge:
		return storyTooMuch
	case seawall.ReasonMethod:
		return storyMethod
	case seawall.ReasonHeadTimeout, seawall.ReasonBodyTimeout, seawall.ReasonVisitorGone, seawall.ReasonVisitorSlow:
		return storyLate
	case seawall.ReasonConnections, seawall.ReasonShortage:
		return storyBusy
	case seawall.ReasonConnectionsPerAddress:
		return storyTooMany
	case seawall.ReasonProxyHeader:
		return storyDetour
	case seawall.ReasonUnknownHost:
		return storyUnknown
	case seawall.ReasonWrongScheme:
		return storyScheme
	case seawall.ReasonBlocked:
		return storyBlocked
	case seawall.ReasonClientCertificate:
		return storyCertificate
	case seawall.ReasonMaintenance:
		return storyMaintenance
	case seawall.ReasonLoop, seawall.ReasonOriginForbidden:
		return storySetup
	case seawall.ReasonOriginBusy:
		return storyQueue
	case seawall.ReasonOriginDown:
		return storyDown
	case seawall.ReasonOriginName, seawall.ReasonOriginUnreachable, seawall.ReasonOriginConnectTimeout, seawall.ReasonOriginTLS:
		return storyUnreachable
	case seawall.ReasonOriginTimeout, seawall.ReasonOriginTotal, seawall.ReasonOriginStalled:
		return storySilent
	case seawall.ReasonOriginClosed, seawall.ReasonOriginMalformed, seawall.ReasonOriginHeadTooLarge, seawall.ReasonOriginShort:
		return storyBroken
	case seawall.ReasonDraining:
		return storyRestart
	case seawall.ReasonInternal:
		return storyInternal
	default: // what the parser would not take
		return storyRequest
	}
}
