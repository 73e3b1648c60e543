package esdb

import (
	"errors"
	"fmt"
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

// reason is what to tell about an error: the words of the server or of the network, without those
// that gRPC and the client put around them.
func reason(err error) string {
	if errors.Is(err, errNoAnswer) {
		return errNoAnswer.Error()
	}
	if s := statusOf(err); s != nil {
		return s.Message()
	}
	return err.Error()
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
