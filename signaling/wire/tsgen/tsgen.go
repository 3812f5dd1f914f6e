// Package tsgen writes the TypeScript types of the protocol from the Go types of package wire, so
// that the pages and the gateway cannot disagree.
package tsgen

import (
	"fmt"
	"reflect"
	"strings"

	"jedel/internal/fault"
	"jedel/signaling/wire"
)

// enums are the string types whose values the pages check at compile time.
func enums() map[reflect.Type][]string {
	list := func(vs ...any) (reflect.Type, []string) {
		var out []string
		for _, v := range vs {
			out = append(out, fmt.Sprintf("%q", v))
		}
		return reflect.TypeOf(vs[0]), out
	}
	m := map[reflect.Type][]string{}
	add := func(t reflect.Type, vs []string) { m[t] = vs }
	add(list(wire.PhaseCreated, wire.PhaseQueued, wire.PhaseOffered, wire.PhaseConnecting, wire.PhaseTalking,
		wire.PhaseHold, wire.PhaseConference, wire.PhaseReconnecting, wire.PhaseWrapUp, wire.PhaseEnded))
	add(list(wire.KindVideo, wire.KindVoice, wire.KindSilent))
	add(list(wire.RungVideo, wire.RungThin, wire.RungAudio, wire.RungNotes, wire.RungText, wire.RungSOS))
	add(list(wire.RoleCaller, wire.RoleConsole))
	add(list(wire.DeviceOn, wire.DeviceOff, wire.DeviceDenied, wire.DeviceNone, wire.DeviceBusy, wire.DeviceAsking))
	add(list(wire.DutyOff, wire.DutyReady, wire.DutyOffered, wire.DutyTalking, wire.DutyWrapUp, wire.DutyBusy,
		wire.DutyPause, wire.DutyNotResponding, wire.DutyLinkLost))
	add(list(wire.VideoOn, wire.VideoThin, wire.VideoOff))
	add(list(wire.GuestListen, wire.GuestWhisper, wire.GuestSpeak))
	return m
}

// File returns the text of web/lib/wire.gen.ts.
func File() string {
	g := gen{enums: enums(), done: map[reflect.Type]bool{}}
	var table strings.Builder
	for _, e := range wire.Table() {
		t := reflect.TypeOf(e.New()).Elem()
		g.typ(t)
		fmt.Fprintf(&table, "  %q: %s;\n", e.Type, t.Name())
	}
	return "// Written by `make generate` from signaling/wire. Do not edit.\n\n" +
		fmt.Sprintf("export const version = %d;\n\n", wire.Version) +
		g.out.String() + "/** The body of each message by its type. */\nexport interface Bodies {\n" + table.String() + "}\n"
}

type gen struct {
	enums map[reflect.Type][]string
	done  map[reflect.Type]bool
	out   strings.Builder
}

// typ returns the TypeScript name of t and writes its declaration once.
func (g *gen) typ(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return g.typ(t.Elem())
	case reflect.Slice:
		return g.typ(t.Elem()) + "[]"
	case reflect.Bool:
		return "boolean"
	case reflect.Struct:
		if !g.done[t] {
			g.done[t] = true
			g.iface(t)
		}
		return t.Name()
	case reflect.String:
		return g.text(t)
	default:
		return "number"
	}
}

func (g *gen) text(t reflect.Type) string {
	if t == reflect.TypeFor[fault.Code]() || t.Name() == "string" {
		return "string"
	}
	if !g.done[t] {
		g.done[t] = true
		fmt.Fprintf(&g.out, "export type %s = %s;\n\n", t.Name(), strings.Join(g.enums[t], " | "))
	}
	return t.Name()
}

func (g *gen) iface(t reflect.Type) {
	var b strings.Builder
	fmt.Fprintf(&b, "export interface %s {\n", t.Name())
	for i := range t.NumField() {
		f := t.Field(i)
		name, opt, _ := strings.Cut(f.Tag.Get("json"), ",")
		mark := ""
		if opt == "omitempty" {
			mark = "?"
		}
		fmt.Fprintf(&b, "  %s%s: %s;\n", name, mark, g.typ(f.Type))
	}
	b.WriteString("}\n\n")
	g.out.WriteString(b.String())
}
