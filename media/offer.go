package media

import (
	"fmt"
	"net"
	"strings"

	"jedel/internal/fault"
)

// section is one m-line of an offer.
type section struct {
	kind      Kind // empty for the data channel
	direction string
}

// offer is what an SDP offer asks for, checked line by line before Pion sees it.
type offer struct {
	sdp      string // without candidates we refuse
	sections []section
	ufrag    string
	cands    int
}

// checkOffer refuses what no browser sends: over the limits, without a strong fingerprint, with
// SDES keys. It never panics on any bytes.
func checkOffer(sdp string, cfg Config) (offer, error) {
	const op = "media.offer"
	if len(sdp) > MaxSDP {
		return offer{}, fault.Newf(fault.BadSDP, op, "%d bytes", len(sdp))
	}
	var o offer
	var out strings.Builder
	fingerprint := false
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "m="):
			s, err := parseSection(line)
			if err != nil {
				return offer{}, fault.New(fault.BadSDP, op, err)
			}
			o.sections = append(o.sections, s)
		case key == "a=crypto":
			return offer{}, fault.Newf(fault.BadSDP, op, "SDES keys")
		case key == "a=fingerprint":
			alg, _, _ := strings.Cut(strings.ToLower(value), " ")
			if alg != "sha-256" && alg != "sha-384" && alg != "sha-512" {
				return offer{}, fault.Newf(fault.BadSDP, op, "fingerprint by %q", alg)
			}
			fingerprint = true
		case key == "a=ice-ufrag":
			o.ufrag = value
		case key == "a=candidate":
			if o.cands++; o.cands > MaxCandidates {
				return offer{}, fault.New(fault.TooMany, op, nil)
			}
			cand, err := checkCandidate(strings.TrimPrefix(line, "a="), cfg)
			if err != nil {
				continue
			}
			line = "a=" + cand
		case line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" || line == "a=inactive":
			if n := len(o.sections); n > 0 {
				o.sections[n-1].direction = line[2:]
			}
		}
		out.WriteString(line)
		out.WriteString("\r\n")
	}
	o.sdp = out.String()
	switch {
	case len(o.sections) == 0 || len(o.sections) > MaxSections:
		return offer{}, fault.Newf(fault.BadSDP, op, "%d m-lines", len(o.sections))
	case !fingerprint:
		return offer{}, fault.Newf(fault.BadSDP, op, "no fingerprint")
	case o.ufrag == "":
		return offer{}, fault.Newf(fault.BadSDP, op, "no ice-ufrag")
	}
	return o, nil
}

func parseSection(line string) (section, error) {
	words := strings.Fields(line[2:])
	if len(words) < 4 {
		return section{}, fmt.Errorf("m-line of %d words", len(words))
	}
	switch words[0] {
	case "audio", "video":
		return section{kind: Kind(words[0]), direction: "sendrecv"}, nil
	case "application":
		return section{}, nil
	}
	return section{}, fmt.Errorf("media %q", words[0])
}

// checkCandidate refuses malformed candidates and addresses that we do not talk to, and returns the
// others as Pion is to see them. A name (mDNS) is neither refused nor used: errName.
func checkCandidate(cand string, cfg Config) (string, error) {
	// candidate:foundation component transport priority address port typ type ... (RFC 8839 section 5.1)
	rest, ok := strings.CutPrefix(cand, "candidate:")
	words := strings.Fields(rest)
	if !ok || len(words) < 8 || words[6] != "typ" || len(cand) > 512 {
		return "", fault.New(fault.BadCandidate, "media.candidate", nil)
	}
	ip := net.ParseIP(words[4])
	if ip == nil {
		if strings.HasSuffix(words[4], ".local") {
			return "", errName
		}
		return "", fault.New(fault.BadCandidate, "media.candidate", nil)
	}
	if ours, ok := cfg.candidateOf(words); ok {
		return ours, nil
	}
	if !cfg.allowed(ip) {
		return "", fault.Newf(fault.BadCandidate, "media.candidate", "address of a forbidden kind")
	}
	return cand, nil
}

var errName = fmt.Errorf("a name in place of an address")
