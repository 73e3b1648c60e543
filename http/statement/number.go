package statement

import (
	"math"
	"strconv"
	"time"

	"rentbook/domain"
	"rentbook/eventstore"
)

// appendAmount appends minor units as a plain decimal: "450.00", "-3.50". It is domain.Money's
// String without its allocations.
func appendAmount(b []byte, minor int64, scale int) []byte {
	n := magnitude(minor)
	if minor < 0 {
		b = append(b, '-')
	}
	if scale == 0 {
		return strconv.AppendUint(b, n, 10)
	}
	unit := uint64(math.Pow10(scale))
	b = strconv.AppendUint(b, n/unit, 10)
	b = append(b, '.')
	return appendPadded(b, n%unit, scale)
}

// magnitude is right for the smallest integer too, which has no positive counterpart.
func magnitude(minor int64) uint64 {
	if minor < 0 {
		return -uint64(minor) //nolint:gosec // G115: wrapping round is what two's complement asks for
	}
	return uint64(minor)
}

// appendPadded appends n with at least width digits.
func appendPadded(b []byte, n uint64, width int) []byte {
	for limit := uint64(math.Pow10(width - 1)); n < limit && limit > 1; limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, n, 10)
}

// appendDate appends YYYY-MM-DD, or nothing for no date.
func appendDate(b []byte, d domain.Date) []byte {
	if d.IsZero() {
		return b
	}
	year, month, day := d.Date()
	return appendDay(b, year, month, day)
}

func appendDay(b []byte, year int, month time.Month, day int) []byte {
	b = appendTwo(b, year/100)
	b = appendTwo(b, year%100)
	b = append(b, '-')
	b = appendTwo(b, int(month))
	b = append(b, '-')
	return appendTwo(b, day)
}

// appendTime appends t in UTC with microseconds, always 27 bytes, so that times sort as text.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	b = appendDay(b, year, month, day)
	b = append(b, 'T')
	hour, minute, second := t.Clock()
	b = appendTwo(b, hour)
	b = append(b, ':')
	b = appendTwo(b, minute)
	b = append(b, ':')
	b = appendTwo(b, second)
	b = append(b, '.')
	micro := t.Nanosecond() / 1000
	b = appendTwo(b, micro/10_000)
	b = appendTwo(b, micro/100%100)
	b = appendTwo(b, micro%100)
	return append(b, 'Z')
}

func appendTwo(b []byte, n int) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10)) //nolint:gosec // G115: n is 0 to 99, years are four digits
}

// appendPosition appends what Position.String says.
func appendPosition(b []byte, p eventstore.Position) []byte {
	b = strconv.AppendUint(b, p.Commit, 10)
	if p.Prepare == p.Commit {
		return b
	}
	b = append(b, '-')
	return strconv.AppendUint(b, p.Prepare, 10)
}
