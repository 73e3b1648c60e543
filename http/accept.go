package http

import (
	"net/http"
	"strconv"
	"strings"
)

// negotiate picks, of the types on offer, the one the caller likes best (RFC 9110, 12.5.1). Of
// several liked alike it is the first on offer; of none, false.
func negotiate(h http.Header, offers ...string) (string, bool) {
	accept := strings.Join(h.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return offers[0], true
	}
	best, bestQuality := "", 0.0
	for _, offer := range offers {
		if q := quality(accept, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best, best != ""
}

// quality is how much a type is liked: by the most specific range that covers it.
func quality(accept, offer string) float64 {
	kind, _, _ := strings.Cut(offer, "/")
	found, specific := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		pattern, parameters, _ := strings.Cut(part, ";")
		weight := 0
		switch strings.ToLower(strings.TrimSpace(pattern)) {
		case offer:
			weight = 3
		case kind + "/*":
			weight = 2
		case "*/*":
			weight = 1
		}
		if weight > specific {
			found, specific = qualityOf(parameters), weight
		}
	}
	return found
}

func qualityOf(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}
