package media

import (
	"strings"
	"testing"
)

// A browser that is told a=cryptex encrypts the extensions of all it sends (RFC 9335 section 4), and none of those
// packets could be opened.
func TestEncryptedHeadersAreNotPromised(t *testing.T) {
	p := newPage(t, openNode(t, nil), RoleCaller)
	if offer := p.pc.LocalDescription().SDP; !strings.Contains(offer, "a=cryptex") {
		t.Fatal("the offer has none: the test shows nothing")
	}
	if answer := p.pc.RemoteDescription().SDP; strings.Contains(answer, "a=cryptex") {
		t.Error(answer)
	}
}
