package keystead

// Why there is no verdict. No text here holds a key, nor anything of an answer that was not Keystead's.

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

var (
	// ErrUnreachable says that there was no connection, or that it broke.
	ErrUnreachable = errors.New("keystead: could not be reached")
	// ErrTimeout says that there was no whole answer in time.
	ErrTimeout = errors.New("keystead: no whole answer in time")
	// ErrSetting says that a setting cannot be used; nothing was sent.
	ErrSetting = errors.New("keystead: a setting cannot be used")
)

// ProtocolError says that something answered, but not as Keystead does: a proxy, another service, another version.
type ProtocolError struct {
	// Status is the answer's HTTP status.
	Status int
	// Why says what was wrong with it.
	Why string
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("keystead: the answer (HTTP %d) is not Keystead's: %s", e.Status, e.Why)
}

// Problem says that Keystead refused the question itself, and why (RFC 9457), such as "forbidden".
type Problem struct {
	// Status is the answer's HTTP status.
	Status int
	// Code is a stable name for programs, Detail what was wrong, Fix what to do about it.
	Code, Detail, Fix string
	// RequestID stands in the server's log.
	RequestID string
	// RetryAfter is the answer's Retry-After; 0 where it has none.
	RetryAfter time.Duration
}

func (e *Problem) Error() string {
	return fmt.Sprintf("keystead: %s %s (%s, request %s)", e.Detail, e.Fix, e.Code, e.RequestID)
}

func setting(why string) error { return fmt.Errorf("%w: %s", ErrSetting, why) }

// failure is what a call died of. Some causes repeat what was sent or received, so only those that cannot are told.
func failure(ctx context.Context, err error) error {
	var timeout net.Error
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return ErrTimeout
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("keystead: who asked gave up: %w", context.Canceled)
	}
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	if errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid) {
		return fmt.Errorf("%w: its certificate is not trusted (%T)", ErrUnreachable, innermost(err))
	}
	var of *net.OpError
	if errors.As(err, &of) {
		return fmt.Errorf("%w: %s: %v", ErrUnreachable, of.Op, of.Err)
	}
	return ErrUnreachable
}

func innermost(err error) error {
	for {
		within := errors.Unwrap(err)
		if within == nil {
			return err
		}
		err = within
	}
}
