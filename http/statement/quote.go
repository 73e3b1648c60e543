package statement

import "unicode/utf8"

const hex = "0123456789abcdef"

// appendQuoted appends a JSON string, byte for byte what encoding/json makes of s: bytes that are
// not UTF-8 become U+FFFD, and < > & are escaped so that the answer is harmless inside HTML.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0 // of what has been looked at and not appended yet
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			if !plain(c) {
				b = appendEscaped(append(b, s[start:i-1]...), c)
				start = i
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if escape := escapeOf(r, size); escape != "" {
			b = append(append(b, s[start:i-size]...), escape...)
			start = i
		}
	}
	return append(append(b, s[start:]...), '"')
}

// plain says whether an ASCII byte stands for itself.
func plain(c byte) bool {
	return c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}

// escapeOf is how a character beyond ASCII is escaped, "" if it is not. U+2028 and U+2029 end a
// line in JavaScript that embeds the answer.
func escapeOf(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return `\ufffd`
	case r == '\u2028':
		return `\u2028`
	case r == '\u2029':
		return `\u2029`
	}
	return ""
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
}
