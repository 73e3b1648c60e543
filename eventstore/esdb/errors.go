package esdb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"rentbook/eventstore"
)

var (
	// errClosed is the cause of everything refused after Close.
	errClosed = fmt.Errorf("%w: the log is closed", eventstore.ErrUnavailable)

	// errDamaged is a log that cannot have come about by appending.
	errDamaged = errors.New("the log is damaged")

	errReplaced  = errors.New("the connection has been replaced")
	errBroken    = errors.New("the connection is broken")
	errNoAnswer  = errors.New("the server does not answer")
	errAbandoned = errors.New("the client does not come back from a call")
	errPanic     = errors.New("the client panicked")
	errBehind    = errors.New("the node that was read from has not got the events yet")
	errSilent    = errors.New("nothing arrives although there are events")
)

// verdict is what the error of a call means for what was asked.
type verdict int

const (
	fine            verdict = iota
	unknown                 // it may have been carried out or not; asking again finds out
	unsent                  // it did not leave this machine
	conflicting             // the stream is not at the version
	missing                 // there is no such stream
	deleted                 // the stream was deleted for good
	denied                  // not with these rights
	unauthenticated         // not with these credentials
	tooLarge                // more than the server takes in one append
	refused                 // for good, for any other reason
)

// judge goes by codes only, except where text can do no harm: what it does not know is unknown.
// FromError of the client is of no use; it does not look into wrapped errors.
func judge(err error) verdict {
	switch {
	case err == nil:
		return fine
	case errors.Is(err, errReplaced), errors.Is(err, errBroken):
		return unsent
	case errors.Is(err, errDamaged):
		return refused
	case errors.Is(err, eventstore.ErrConflict):
		return conflicting
	}
	if e, ok := errors.AsType[*es.Error](err); ok {
		switch e.Code() {
		case es.ErrorCodeConnectionClosed:
			return unsent
		case es.ErrorCodeWrongExpectedVersion:
			return conflicting
		case es.ErrorCodeStreamDeleted:
			return deleted
		case es.ErrorCodeResourceNotFound:
			if statusOf(err) == nil { // a status says that the node does not lead
				return missing
			}
		default:
		}
	}
	return judgeStatus(statusOf(err))
}

func judgeStatus(s *status.Status) verdict {
	switch s.Code() {
	case codes.Unauthenticated:
		return unauthenticated
	case codes.PermissionDenied:
		return denied
	case codes.Unimplemented:
		return refused
	case codes.InvalidArgument:
		if strings.HasPrefix(s.Message(), "Maximum Append Size") {
			return tooLarge
		}
		return refused
	case codes.Unavailable:
		// gRPC says so of a call for which there was no connection, and of no other.
		if strings.Contains(s.Message(), "Error while dialing") { //nolint:misspell // gRPC's words
			return unsent
		}
		return unknown
	default: // and OK, for none
		return unknown
	}
}

// statusOf is the gRPC status that an error stems from, nil if it stems from none.
func statusOf(err error) *status.Status {
	if from, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return from.GRPCStatus()
	}
	return nil
}

// definite says whether asking again is of no use.
func definite(err error) bool {
	switch judge(err) {
	case unknown, unsent:
		return false
	default:
		return true
	}
}

// reason is what to tell about an error: what can be done about it if that is known, and else the
// words of the server or of the network, without those that gRPC and the client put around them.
func reason(err error) string {
	if errors.Is(err, errNoAnswer) {
		return errNoAnswer.Error()
	}
	s := statusOf(err)
	if s == nil {
		return err.Error()
	}
	text := unwrapped(s.Message())
	if o, ok := obstacleOf(s); ok {
		return strings.Replace(o.advice, "…", strings.TrimPrefix(text, o.words), 1)
	}
	return text
}

// obstacle is a reason why no connection comes about. There are no codes for them.
type obstacle struct {
	words  string // of gRPC or of Go's TLS
	advice string // where … stands for the words, or for what comes behind those that begin the text
	lasts  bool   // until somebody changes the connection string or the server
}

func obstacles() []obstacle {
	const otherNames = "the server's certificate is for other names: connect by one of those, or give the server " +
		"a certificate for this one (…)"
	return []obstacle{
		{words: "produced zero addresses", advice: "the host name cannot be found"},
		{words: "context deadline exceeded", advice: errNoAnswer.Error()},
		{
			words:  "error reading server preface: ", // a server that wants TLS hangs up, but so does one that stops
			advice: "the server does not begin to talk as an event store does (…): if it wants TLS, leave out tls=false",
		},
		{
			words: "tls: first record does not look like a TLS handshake",
			advice: "the server speaks without TLS: add ?tls=false (without user and password), or switch TLS on at " +
				"the server",
			lasts: true,
		},
		{
			words:  "x509: certificate signed by unknown authority",
			advice: "the CA of the server's certificate is not known here: name it with tlsCaFile= (…)",
			lasts:  true,
		},
		{words: "x509: certificate is valid for ", advice: otherNames, lasts: true},
		{words: "x509: certificate is not valid for any names", advice: otherNames, lasts: true},
		{words: "x509: cannot validate certificate for ", advice: otherNames, lasts: true},
	}
}

func obstacleOf(s *status.Status) (obstacle, bool) {
	if s.Code() != codes.Unavailable && s.Code() != codes.DeadlineExceeded {
		return obstacle{}, false
	}
	for _, o := range obstacles() {
		if strings.Contains(s.Message(), o.words) {
			return o, true
		}
	}
	return obstacle{}, false
}

// What gRPC puts around the reason why a connection did not come about.
const (
	aroundAll       = "connection error: desc = " // and the rest in quotes
	aroundTransport = "transport: "
	aroundDial      = "Error while dialing: " //nolint:misspell // gRPC's words
	aroundHandshake = "authentication handshake failed: "
)

func unwrapped(text string) string {
	quoted, around := strings.CutPrefix(text, aroundAll)
	inner, err := strconv.Unquote(quoted)
	if !around || err != nil {
		return text
	}
	for _, prefix := range []string{aroundTransport, aroundDial, aroundHandshake} {
		inner = strings.TrimPrefix(inner, prefix)
	}
	return inner
}

// mismatched says whether an attempt to connect failed because certificates, or TLS and none, do not
// fit each other, for certain: a TLS handshake here has found so. No other attempt will succeed.
func mismatched(err error) bool {
	s := statusOf(err)
	o, _ := obstacleOf(s)
	return o.lasts && strings.HasPrefix(s.Message(), aroundAll+`"`+aroundTransport+aroundHandshake)
}

// explain says what can be done about a definite error.
func explain(err error) error {
	switch judge(err) {
	case denied:
		return fmt.Errorf("the server refuses access (%s): the user must be in $admins, or be given the rights "+
			"to read $all and to read and append to the streams of the log", reason(err))
	case unauthenticated:
		return fmt.Errorf("the server does not accept the user name and password of the connection string (%s)", reason(err))
	case deleted:
		return fmt.Errorf("%w: the stream was deleted for good on the server: restore the server from a backup", errDamaged)
	case tooLarge:
		return fmt.Errorf("%w: %s", eventstore.ErrTooLarge, reason(err))
	case refused:
		if errors.Is(err, errDamaged) {
			return err
		}
		return fmt.Errorf("the server refuses: %s", reason(err))
	default:
		return err
	}
}
