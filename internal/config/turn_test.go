package config

import (
	"strings"
	"testing"
)

func TestTheRelayIsChecked(t *testing.T) {
	for yaml, want := range map[string]string{
		"media: {turn: {udp: nowhere}}":                                 "media.turn.udp",
		"media: {tcp: ':9', turn: {tcp: ':9'}}":                         "media.turn.tcp",
		"media: {turn: {udp: ':8081'}}":                                 "media.turn.udp",
		"media: {turn: {urls: ['https://x/']}}":                         "media.turn.urls",
		"media: {turn: {allocations: 0}}":                               "media.turn.allocations",
		"media: {turn: {bandwidth: 1000}}":                              "media.turn.bandwidth",
		"media: {public_ips: [somewhere]}":                              "media.public_ips",
		"media: {public_ips: [203.0.113.9, '2001:db8::1']}":             "",
		"media: {turn: {tcp: ':3478', urls: ['turns:h:443'], udp: ''}}": "",
	} {
		c, err := Parse([]byte(yaml))
		if want == "" {
			if err != nil {
				t.Error(yaml, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", yaml, err)
		}
		_ = c
	}
}

func TestThereIsARelayWhereItHasAWay(t *testing.T) {
	plain, tls := HTTP{TLS: "off"}, HTTP{TLS: "files"}
	for _, c := range []struct {
		turn Turn
		http HTTP
		on   bool
	}{
		{Turn{TLS: true}, plain, false}, {Turn{TLS: true}, tls, true}, {Turn{UDP: ":3478"}, plain, true}, {Turn{TCP: ":3478"}, plain, true}, {Turn{}, tls, false},
	} {
		if c.turn.On(c.http) != c.on {
			t.Errorf("%+v %+v", c.turn, c.http)
		}
	}
}
