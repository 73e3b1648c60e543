package esdbtest

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// The errors of RpcExceptions.cs: a status, and a trailer that says which exception it was.

func exception(ctx context.Context, kind string, details ...string) {
	_ = grpc.SetTrailer(ctx, metadata.Pairs(append([]string{"exception", kind}, details...)...)) // the call may be over
}

func errNotReady() error { return status.Error(codes.Unavailable, "Server Is Not Ready") }

func errTimedOut(text string) error { return status.Error(codes.Aborted, text) }

func errUnauthenticated() error { return status.Error(codes.Unauthenticated, "Unauthenticated") }

func errNoLeaderInfo() error {
	return status.Error(codes.Unknown, "No leader info available in response")
}

func errInvalidPosition() error {
	return status.Error(codes.InvalidArgument, "Trying to read from an invalid position.")
}

func errInvalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func errAccessDenied(ctx context.Context) error {
	exception(ctx, "access-denied")
	return status.Error(codes.PermissionDenied, "Access Denied")
}

func errStreamDeleted(ctx context.Context, stream string) error {
	exception(ctx, "stream-deleted", "stream-name", stream)
	return status.Errorf(codes.FailedPrecondition, "Event stream '%s' is deleted.", stream)
}

func errWrongVersion(ctx context.Context, operation, stream string, expected, actual int64) error {
	exception(ctx, "wrong-expected-version", "stream-name", stream,
		"expected-version", strconv.FormatInt(expected, 10), "actual-version", strconv.FormatInt(actual, 10))
	return status.Errorf(codes.FailedPrecondition,
		"%s failed due to WrongExpectedVersion. Stream: %s, Expected version: %d, Actual version: %d",
		operation, stream, expected, actual)
}

func errNotLeader(ctx context.Context, leader string) error {
	host, port, err := net.SplitHostPort(leader)
	if err != nil {
		return status.Error(codes.Internal, fmt.Sprintf("esdbtest: %v", err))
	}
	exception(ctx, "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port)
	return status.Error(codes.NotFound, "Leader info available")
}

func errTooLarge(ctx context.Context, limit int) error {
	exception(ctx, "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(limit))
	return status.Errorf(codes.InvalidArgument, "Maximum Append Size of %d Exceeded.", limit)
}

func errMissingMetadata(ctx context.Context, property string) error {
	exception(ctx, "missing-required-metadata-property", "required-metadata-properties", "type,content-type")
	return status.Errorf(codes.InvalidArgument, "Required Metadata Property '%s' is missing", property)
}
